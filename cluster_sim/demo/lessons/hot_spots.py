# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Hot spots and helpers: who helps whom, and why the longest queue is the right one."""

import marimo

app = marimo.App(width="full", app_title="Hot spots and helpers", css_file="../style.css")


@app.cell
def _():
    import marimo as mo

    from cluster_sim.demo.checks import above, below, holds, near, require, table
    from cluster_sim.demo.classroom import series_chart
    from cluster_sim.demo.predictions import boundary_chart, predict
    from cluster_sim.demo.scenes import Scene, measure, record_scene
    from cluster_sim.demo.widget import ReplayWidget

    return (
        ReplayWidget,
        Scene,
        above,
        below,
        boundary_chart,
        holds,
        measure,
        mo,
        near,
        predict,
        record_scene,
        require,
        series_chart,
        table,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # Hot spots and helpers

        A quarter of the servers hold hot data and get more than they can serve: the
        *beneficiaries*. The others have time left: the *helpers*. Each chunk is on one server only,
        so that tasks cannot choose where to wait.

        Under `priority`, an idle helper takes a task from the **longest** queue, if that is longer
        than α / γ. Under `help-anyone`, it takes one from a **random** queue longer than α / γ. All
        else is the same, also the arrivals.

        **Question.** Both give the same amount of help. Does it matter who gets it?
        """
    )
    return


@app.cell
def _(mo):
    load = mo.ui.slider(0.5, 1.0, 0.01, value=0.95, label="load", show_value=True, debounce=True)
    hot = mo.ui.slider(0.3, 0.9, 0.05, value=0.6, label="hot tasks", show_value=True, debounce=True)
    remote = mo.ui.slider(
        0.05, 0.3, 0.05, value=0.15, label="γ, remote", show_value=True, debounce=True
    )
    mo.hstack([load, hot, remote], justify="start", gap=3)
    return hot, load, remote


@app.cell
def _(ReplayWidget, Scene, mo, record_scene):
    widget = ReplayWidget(
        [record_scene(Scene(20, n_hot=5, n_replicas=1).scenario("fifo", slots=1))]
    )
    view = mo.ui.anywidget(widget)
    view
    return (widget,)


@app.cell
def _(Scene, hot, load, measure, predict, record_scene, remote, widget):
    scene = Scene(
        20, n_hot=5, n_replicas=1, load=load.value, hot_probability=hot.value, remote=remote.value
    )
    names = {
        "priority": "priority",
        "help-anyone": "cluster_sim.demo.helping:HelpAnyone",
        "jsq-local": "jsq-local",
    }
    runs = {
        name: measure(scene.scenario(policy, 60_000, warmup=10_000))
        for name, policy in names.items()
    }
    widget.show(
        [record_scene(scene.scenario(names[name], 600)) for name in ("priority", "help-anyone")],
        "The five servers in front are the beneficiaries",
    )
    found = predict(scene)
    return found, runs, scene


@app.cell
def _(above, below, boundary_chart, found, holds, mo, near, runs, scene, series_chart, table):
    report = found.report
    n_helped = 0 if report.beneficiaries is None else len(report.beneficiaries)
    priority, anyone, alone = runs["priority"], runs["help-anyone"], runs["jsq-local"]
    gamma, hot_rate = scene.rates[-1], report.arrival_rate * scene.hot_probability
    own = scene.n_hot * scene.rates[0]
    checks = [
        holds(
            "the hot servers are the beneficiaries",
            f"{scene.n_hot}",
            f"{n_helped}",
            is_so=n_helped == scene.n_hot,
        ),
        holds(
            "without help, queues grow without end",
            f"{hot_rate:.2f} hot tasks per slot, room for {own:.2f}",
            "settles" if alone.is_stable else "grows",
            is_so=not alone.is_stable,
        ),
        holds(
            "with help for the longest queue they settle",
            "settles",
            "settles" if priority.is_stable else "grows",
            is_so=priority.is_stable,
        ),
        near(
            "both help as much: share of remote starts, one against the other",
            priority.remote_share,
            anyone.remote_share,
            within=0.1,
        ),
        below(
            "mean completion time: longest against random, slots",
            priority.result.mean_completion_time,
            anyone.result.mean_completion_time / 2,
        ),
        above(
            "mean sum of the beneficiary queues: the bound of Theorem 3",
            priority.bounded_sum,
            0.0 if report.heavy_traffic is None else report.heavy_traffic.lower_bound,
        ),
    ]
    times = ", ".join(f"{name} {run.result.mean_completion_time:.1f}" for name, run in runs.items())
    shown = [(name, runs[name].result.series) for name in ("priority", "help-anyone")]
    mo.vstack(
        [
            mo.md(f"## What you should see\n\nMean completion time, slots: {times}."),
            mo.hstack(
                [
                    mo.Html(table(checks)),
                    mo.Html(boundary_chart(scene)),
                    mo.Html(series_chart(shown, "Tasks over time")),
                ],
                widths=[4, 3, 3],
                gap=2,
                align="start",
            ),
            mo.accordion(
                {
                    "Why": mo.md(
                        f"""
                        A beneficiary serves its own tasks at α = {scene.rates[0]:.2f}, a helper
                        does them at γ = {gamma:.2f}. The cluster reaches its capacity only if no
                        beneficiary is ever idle. Help for a random queue may empty a short one: its
                        server then idles, or does remote work itself, while tasks wait elsewhere
                        that are local to nobody who is free. Help for the longest queue keeps the
                        queues of the beneficiaries equal, so all of them run dry together or not
                        at all. The next lesson, heavy traffic, draws this.

                        Set *hot tasks* to 0.4. The load is the same share of the capacity, yet
                        random help no longer keeps the queues from growing.
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
