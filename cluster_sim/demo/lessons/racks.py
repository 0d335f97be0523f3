# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Rack tiers: what changes with a tier between local and remote."""

import marimo

app = marimo.App(width="full", app_title="Rack tiers", css_file="../style.css")


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
        # Rack tiers

        Forty servers in five racks of eight. Within a rack the network is fast: a rack-local task
        runs at β, between α (local) and γ (remote). The first ten servers are hot: all of the first
        rack and two of the second.

        `priority` was made for two tiers. It knows its own queue and the longest of all.
        `balanced-pandas` keeps a queue for each tier and sends a task to the server with the least
        weighted work.

        **Question.** A server in the second rack could do the hot work of its own rack at β. Does
        `priority` see to it?
        """
    )
    return


@app.cell
def _(mo):
    load = mo.ui.slider(0.5, 1.0, 0.01, value=0.9, label="load", show_value=True, debounce=True)
    near_rate = mo.ui.slider(
        0.1, 0.4, 0.05, value=0.35, label="β, rack-local", show_value=True, debounce=True
    )
    mo.hstack([load, near_rate], justify="start", gap=3)
    return load, near_rate


@app.cell
def _(ReplayWidget, Scene, mo, record_scene):
    first = Scene(40, 5, 10, 0.6, 0.5, 0.4, 0.35, 0.1)
    widget = ReplayWidget([record_scene(first.scenario("priority", slots=1))])
    view = mo.ui.anywidget(widget)
    view
    return (widget,)


@app.cell
def _(Scene, load, measure, near_rate, predict, record_scene, widget):
    scene = Scene(40, 5, 10, 0.6, load.value, 0.4, near_rate.value, 0.1)
    flat = Scene(40, 1, 10, 0.6, load.value, 0.4, 0.4, 0.1)
    names = ("priority", "balanced-pandas", "maxweight")
    runs = {name: measure(scene.scenario(name, 20_000, warmup=4_000)) for name in names}
    widget.show(
        [record_scene(scene.scenario(name, 400)) for name in names[:2]],
        f"Five racks; load {load.value:.2f} of the capacity",
    )
    capacities = predict(flat).report.capacity, predict(scene).report.capacity
    return capacities, runs, scene


@app.cell
def _(above, below, boundary_chart, capacities, holds, mo, near, runs, scene, series_chart, table):
    priority, pandas = runs["priority"], runs["balanced-pandas"]
    words = {True: "settles", False: "grows"}
    alpha, _, gamma = scene.rates
    hot, sigma = scene.n_hot, scene.hot_probability
    flat_capacity = (hot * alpha + gamma * (40 - hot)) / (sigma + gamma * (1 - sigma) / alpha)
    checks = [
        near(
            "capacity with two tiers: (N α + γ (M - N)) / (σ + γ (1 - σ) / α)",
            flat_capacity,
            capacities[0],
            within=0.001,
        ),
        above(
            "a tier between adds capacity: three tiers against two, tasks per slot",
            capacities[1],
            capacities[0],
        ),
        holds(
            "balanced-pandas settles below the capacity",
            "settles",
            words[pandas.is_stable],
            is_so=pandas.is_stable,
        ),
        holds(
            "priority does not", "grows", words[priority.is_stable], is_so=not priority.is_stable
        ),
        below(
            "share of rack-local starts: priority against balanced-pandas",
            priority.result.locality[1],
            pandas.result.locality[1] / 3,
        ),
    ]
    shown = [(name, run.result.series) for name, run in runs.items()]
    mo.vstack(
        [
            mo.md("## What you should see"),
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
                        """
                        The longest queue is the right one when all help costs the same. With racks
                        it does not: help within the rack is worth more. `priority` spends the
                        time of near servers on their own work and on far queues, and loses the
                        difference. It is throughput-optimal with two tiers (Theorem 1), and not
                        with three (Xie, Yekkehkhany, Lu 2016). Lower the load, or set β to γ = 0.1,
                        and it settles again.
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
