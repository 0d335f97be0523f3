# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""JSQ and the power of choice: what a second queue to choose from is worth."""

import marimo

app = marimo.App(width="medium", app_title="The power of choice", css_file="../style.css")


@app.cell
def _():
    import marimo as mo
    import numpy as np

    from cluster_sim.demo.charts import BLUE, GREEN, GREY, ORANGE, Chart
    from cluster_sim.demo.checks import below, near, require, table
    from cluster_sim.demo.classroom import even, mean_field_time, queue_samples, queue_tail
    from cluster_sim.demo.scenes import measure

    return (
        BLUE,
        GREEN,
        GREY,
        ORANGE,
        Chart,
        below,
        even,
        mean_field_time,
        measure,
        mo,
        near,
        np,
        queue_samples,
        queue_tail,
        require,
        table,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # The power of choice

        A hundred equal servers. A task may run on *d* of them, drawn at random: those that hold its
        data. It joins the shortest of their queues (JSQ) and stays there.

        **Question.** With one choice, a task waits behind whoever happens to be there. How much
        does a second choice help? And a third?
        """
    )
    return


@app.cell
def _(mo):
    load = mo.ui.slider(0.5, 0.95, 0.05, value=0.9, label="load", show_value=True, debounce=True)
    load
    return (load,)


@app.cell
def _(even, load, measure, np, queue_samples):
    n_slots = 20_000
    scenarios = {d: even(d, load.value, slots=n_slots) for d in (1, 2, 3)}
    times = {d: measure(each).result.mean_completion_time for d, each in scenarios.items()}
    lengths = {d: queue_samples(each) for d, each in scenarios.items()}
    tails = {d: np.array([(q >= k).mean() for k in range(13)]) for d, q in lengths.items()}
    return tails, times


@app.cell
def _(BLUE, Chart, GREEN, GREY, ORANGE, load, mean_field_time, mo, np, queue_tail, tails, times):
    looks = {1: ORANGE, 2: BLUE, 3: GREEN}
    ks = np.arange(13)
    chart = Chart(
        (0, 12), (1e-4, 1), "k", "share of queues with at least k tasks", "Tails", is_y_log=True
    )
    for d, tail in tails.items():
        chart.line(ks, queue_tail(d, load.value, 13), "", GREY, dash="4 3", width=1.4)
        chart.dots(ks, np.where(tail > 0, tail, np.nan), f"d = {d}", looks[d])
    chart.line([0], [1], "in a very large cluster", GREY, dash="4 3")
    bars = Chart(
        (0.4, 3.6),
        (0, 1.15 * max(times.values())),
        "choices d",
        "mean completion time, slots",
        "Times",
    )
    for d, time in times.items():
        bars.bar(d, (0, time), looks[d], width=0.5)
    bars.dots(
        list(times),
        [mean_field_time(d, load.value, 0.1) for d in times],
        "in a very large cluster",
        GREY,
        r=5,
    )
    mo.hstack([mo.Html(chart.svg()), mo.Html(bars.svg())], widths="equal", gap=2, align="start")
    return


@app.cell
def _(below, load, mean_field_time, mo, near, queue_tail, table, tails, times):
    checks = [
        below(
            "a second choice takes away more than a third of the time, slots",
            times[2],
            times[1] * 2 / 3,
        ),
        below(
            "a third choice gains less than the second did, slots",
            times[2] - times[3],
            times[1] - times[2],
        ),
        *(
            near(
                f"mean completion time with d = {d}, slots",
                mean_field_time(d, load.value, 0.1),
                times[d],
                within=0.15,
            )
            for d in (1, 2, 3)
        ),
        near(
            "share of queues with 3 tasks or more, d = 2",
            queue_tail(2, load.value, 4)[3],
            tails[2][3],
            within=0.2,
        ),
        below(
            "share of queues with 8 tasks or more: d = 2 against d = 1",
            tails[2][8],
            tails[1][8] / 10,
        ),
    ]
    mo.vstack(
        [
            mo.md("## What you should see"),
            mo.Html(table(checks)),
            mo.accordion(
                {
                    "Why": mo.md(
                        """
                        With one choice, the share of queues with at least k tasks falls by the same
                        factor at each step. With two, a queue grows only if *both* choices are that
                        long, so each step squares the share: it falls doubly exponentially. That
                        first step, from no choice to some, is nearly all of the gain. Replicas of
                        data are choices: three copies of a chunk balance a cluster by themselves,
                        as long as the data is asked for evenly.
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
