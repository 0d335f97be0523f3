# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Locality: what it costs not to know where the data is."""

import marimo

app = marimo.App(width="full", app_title="Locality", css_file="../style.css")


@app.cell
def _():
    import marimo as mo

    from cluster_sim.demo.checks import below, holds, near, require, table
    from cluster_sim.demo.classroom import series_chart
    from cluster_sim.demo.scenes import Scene, measure, record_scene
    from cluster_sim.demo.widget import ReplayWidget

    return (
        ReplayWidget,
        Scene,
        below,
        holds,
        measure,
        mo,
        near,
        record_scene,
        require,
        series_chart,
        table,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # Locality

        Sixty servers; each chunk of data is on three of them. Work is asked for evenly. A local
        task completes with probability α in each slot, a remote one with γ. `fifo` keeps one queue
        for all and gives its head to any idle server. `priority` lets a task wait where
        its data is.

        **Question.** `fifo` never leaves a server idle while a task waits. `priority` does. Which
        cluster can do more work?
        """
    )
    return


@app.cell
def _(mo):
    load = mo.ui.slider(0.1, 0.98, 0.02, value=0.7, label="load", show_value=True, debounce=True)
    local = mo.ui.slider(
        0.1, 1.0, 0.05, value=0.5, label="α, local", show_value=True, debounce=True
    )
    ratio = mo.ui.slider(0.1, 1.0, 0.05, value=0.5, label="γ / α", show_value=True, debounce=True)
    mo.hstack([load, local, ratio], justify="start", gap=3)
    return load, local, ratio


@app.cell
def _(ReplayWidget, Scene, mo, record_scene):
    widget = ReplayWidget([record_scene(Scene().scenario("fifo", slots=1))])
    view = mo.ui.anywidget(widget)
    view
    return (widget,)


@app.cell
def _(Scene, load, local, measure, ratio, record_scene, widget):
    # With a quarter of the tasks for a quarter of the servers, nothing is hot.
    scene = Scene(
        hot_probability=0.25,
        load=load.value,
        local=local.value,
        remote=ratio.value * local.value,
        rack_local=local.value,
    )
    names = ("fifo", "priority")
    runs = {name: measure(scene.scenario(name, 12_000, warmup=3_000)) for name in names}
    widget.show([record_scene(scene.scenario(name, 400)) for name in names], "From an empty start")
    return runs, scene


@app.cell
def _(below, holds, mo, near, runs, scene, series_chart, table):
    alpha, gamma = scene.rates
    share = 3 / scene.n_servers
    # Every slot of a server is one of service; a start is local with the probability of a match.
    most = scene.n_servers / (share / alpha + (1 - share) / gamma)
    arrivals = runs["fifo"].prepared.system.workload.rate
    fifo, priority = runs["fifo"].result, runs["priority"].result
    checks = [
        near(
            "share of local starts under fifo: 3 replicas of 60 servers",
            share,
            fifo.locality[0],
            within=0.15,
        ),
        near(
            "tasks per slot that fifo completes", min(most, arrivals), fifo.throughput, within=0.03
        ),
        near("tasks per slot that priority completes", arrivals, priority.throughput, within=0.03),
        below(
            "mean completion time: priority against fifo, slots",
            priority.mean_completion_time,
            fifo.mean_completion_time,
        ),
        holds(
            f"fifo settles only below {most / (scene.n_servers * alpha):.2f} of the capacity",
            "settles" if arrivals < most else "grows",
            "settles" if runs["fifo"].is_stable else "grows",
            is_so=runs["fifo"].is_stable == (arrivals < most),
        ),
    ]
    mo.vstack(
        [
            mo.md("## What you should see"),
            mo.hstack(
                [
                    mo.Html(table(checks)),
                    mo.Html(
                        series_chart(
                            [(n, r.result.series) for n, r in runs.items()], "Tasks over time"
                        )
                    ),
                ],
                widths=[3, 2],
                gap=2,
                align="start",
            ),
            mo.accordion(
                {
                    "Why": mo.md(
                        f"""
                        An idle server that takes any task takes a local one with probability
                        3 / 60. Nearly all work is then done at the slow rate γ, and the cluster
                        saturates at M / (0.05 / α + 0.95 / γ) = {most:.1f} tasks per slot instead
                        of M α = {scene.n_servers * alpha:.1f}. A busy server is not always a useful
                        one: most of its work is the price of being far from the data.
                        """
                    )
                }
            ),
        ]
    )
    return (checks,)


@app.cell
def _(checks, mo, require):
    # As a script, the lesson says what it checked, and fails if something does not hold.
    if mo.app_meta().mode == "script":
        print(require(checks))
    return


if __name__ == "__main__":
    app.run()
