# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""One queue: why queues grow near load 1."""

import marimo

app = marimo.App(width="medium", app_title="One queue", css_file="../style.css")


@app.cell
def _():
    import marimo as mo
    import numpy as np

    from cluster_sim.demo.charts import BLUE, GREY, ORANGE, Chart
    from cluster_sim.demo.checks import below, near, require, table
    from cluster_sim.demo.classroom import one_server, series_chart
    from cluster_sim.demo.scenes import measure

    return (
        BLUE,
        GREY,
        ORANGE,
        Chart,
        below,
        measure,
        mo,
        near,
        np,
        one_server,
        require,
        series_chart,
        table,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # One queue

        One server, one queue. In each slot a task arrives with probability *a*, and the task in
        service completes with probability *p*. The load is *a / p*: the share of the time that the
        server is busy.

        **Question.** At load 0.8 a task takes some time. The server is idle for a fifth of its
        time, so there is room for more. You raise the load to 0.9, and then to 0.95. By how much
        does the time of a task grow each time? Guess first, then move the slider.
        """
    )
    return


@app.cell
def _(mo):
    load = mo.ui.slider(0.1, 0.98, 0.01, value=0.9, label="load", show_value=True, debounce=True)
    p = mo.ui.slider(0.1, 1.0, 0.1, value=0.5, label="p, service", show_value=True, debounce=True)
    mo.hstack([load, p], justify="start", gap=3)
    return load, p


@app.cell
def _(load, measure, np, one_server, p):
    n_slots = 400_000

    def seen(at):
        return measure(one_server(at * p.value, p.value, slots=n_slots)).result

    def exact(at):
        return (1 - at * p.value) / (p.value - at * p.value)

    loads = np.array([0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
    times = np.array([seen(float(each)).mean_completion_time for each in loads])
    chosen = seen(load.value)
    return chosen, exact, loads, times


@app.cell
def _(BLUE, GREY, ORANGE, Chart, chosen, exact, load, loads, mo, np, series_chart, times):
    grid = np.linspace(0.02, 0.985, 200)
    top = 1.15 * max(float(times.max()), chosen.mean_completion_time)
    chart = Chart((0, 1), (0, top), "load", "mean completion time, slots", "Delay over load")
    chart.line(grid, exact(grid), "(1 - a) / (p - a)", GREY, dash="5 4")
    chart.dots(loads, times, "seen", BLUE)
    chart.dots([load.value], [chosen.mean_completion_time], "here", ORANGE, r=7)
    path = series_chart([("priority", chosen.series)], "Tasks over time", height=300)
    mo.hstack([mo.Html(chart.svg()), mo.Html(path)], widths="equal", gap=2, align="start")
    return


@app.cell
def _(below, chosen, exact, load, loads, mo, near, p, table, times):
    at = dict(zip(loads.tolist(), times.tolist(), strict=True))
    checks = [
        near(
            f"mean completion time at load {load.value:.2f}, slots",
            exact(load.value),
            chosen.mean_completion_time,
            within=0.05,
        ),
        near(
            "the server is busy for this share of the slots",
            load.value,
            chosen.utilisation,
            within=0.02,
        ),
        near(
            "half the spare capacity, twice the time: from 0.9 to 0.95",
            exact(0.95) / exact(0.9),
            at[0.95] / at[0.9],
            within=0.1,
        ),
        below(
            "from 0.3 to 0.5 costs less than from 0.8 to 0.9, slots",
            at[0.5] - at[0.3],
            at[0.9] - at[0.8],
        ),
    ]
    mo.vstack(
        [
            mo.md("## What you should see"),
            mo.Html(table(checks)),
            mo.accordion(
                {
                    "Why": mo.md(
                        f"""
                        The queue moves up with probability a (1 - p) and down with p (1 - a). What
                        brings it back is the difference, p - a = {p.value * (1 - load.value):.3f}
                        here: the spare capacity. The mean time is (1 - a) / (p - a): it grows like
                        1 over the spare capacity. Luck makes queues; spare capacity takes them
                        down again, and near load 1 there is hardly any.
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
