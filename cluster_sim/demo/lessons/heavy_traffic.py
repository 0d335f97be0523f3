# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Heavy traffic: the queue vector collapses onto a line."""

import marimo

app = marimo.App(width="medium", app_title="Heavy traffic", css_file="../style.css")


@app.cell
def _():
    import marimo as mo
    import numpy as np

    from cluster_sim.demo.charts import BLUE, GREY, ORANGE, Chart
    from cluster_sim.demo.checks import above, below, near, require, table
    from cluster_sim.demo.classroom import queue_samples
    from cluster_sim.demo.predictions import predict
    from cluster_sim.demo.scenes import Scene
    from cluster_sim.theory.bounds import collapse_direction, split_queues

    return (
        BLUE,
        Chart,
        GREY,
        ORANGE,
        Scene,
        above,
        below,
        collapse_direction,
        mo,
        near,
        np,
        predict,
        queue_samples,
        require,
        split_queues,
        table,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # Heavy traffic and state-space collapse

        Ten servers, three of them hot. The state of the three beneficiaries is a vector of three
        queue lengths. As the load nears 1, queues become long. One could expect the vector to
        wander about in three dimensions.

        **Question.** Draw the queue of one beneficiary against that of another, a dot for each of
        many slots. What does the cloud look like at load 0.8, and at 0.99?
        """
    )
    return


@app.cell
def _(mo):
    load = mo.ui.slider(
        steps=[0.7, 0.8, 0.9, 0.95, 0.98, 0.99], value=0.98, label="load", show_value=True
    )
    replicas = mo.ui.dropdown({"1": 1, "2": 2, "3": 3}, value="1", label="replicas of a chunk")
    mo.hstack([load, replicas], justify="start", gap=3)
    return load, replicas


@app.cell
def _(Scene, collapse_direction, load, np, predict, queue_samples, replicas, split_queues):
    def look(at):
        scene = Scene(
            10, n_hot=3, n_replicas=replicas.value, load=at, local=0.5, rack_local=0.5, remote=0.25
        )
        lengths = queue_samples(scene.scenario("priority", 200_000, warmup=40_000))
        report = predict(scene).report
        is_helped = np.isin(np.arange(10), report.beneficiaries)
        along, across = split_queues(lengths * is_helped, collapse_direction(is_helped))
        sizes = [float(np.linalg.norm(part, axis=1).mean()) for part in (along, across)]
        total = float(lengths[:, is_helped].sum(axis=1).mean())
        return {
            "queues": lengths,
            "along": sizes[0],
            "across": sizes[1],
            "sum": total,
            "report": report,
        }

    marks = (0.8, 0.9, 0.98)
    seen = {at: look(at) for at in sorted({*marks, load.value})}
    return marks, seen


@app.cell
def _(BLUE, Chart, GREY, ORANGE, load, mo, seen):
    here = seen[load.value]
    first, second = here["queues"][:, 0], here["queues"][:, 1]
    top = max(float(here["queues"][:, :3].max()) * 1.05, 10.0)
    cloud = Chart(
        (0, top),
        (0, top),
        "queue of server 0",
        "queue of server 1",
        f"Queues of two beneficiaries at load {load.value}",
        width=440,
        height=420,
    )
    step = max(1, len(first) // 2500)
    cloud.dots(first[::step], second[::step], "a slot", BLUE, r=2.2, opacity=0.25)
    cloud.line([0, top], [0, top], "the line of equal queues", ORANGE, width=1.5)
    loads = list(seen)
    most = 1.15 * max(each["along"] for each in seen.values())
    sizes = Chart(
        (0.68, 1.0), (0, most), "load", "mean size, tasks", "Along and across the line", height=420
    )
    sizes.line(loads, [seen[at]["along"] for at in loads], "", BLUE)
    sizes.dots(loads, [seen[at]["along"] for at in loads], "along the line", BLUE)
    sizes.line(loads, [seen[at]["across"] for at in loads], "", GREY, dash="5 4")
    sizes.dots(loads, [seen[at]["across"] for at in loads], "away from the line", GREY)
    mo.hstack([mo.Html(cloud.svg()), mo.Html(sizes.svg())], widths="equal", gap=2, align="start")
    return


@app.cell
def _(above, below, load, marks, mo, near, seen, table):
    far, middle, close = (seen[at] for at in marks)
    report, bounds = close["report"], close["report"].heavy_traffic
    ratios = [each["across"] / each["along"] for each in (far, middle, close)]
    checks = [
        below(
            "distance from the line over distance along it: 0.9 against 0.8", ratios[1], ratios[0]
        ),
        below("the same: 0.98 against 0.9", ratios[2], ratios[1]),
        below(
            "away from the line, 0.98 against 0.9: it hardly grows",
            close["across"],
            1.5 * middle["across"],
        ),
        above(
            "along the line, 0.98 against 0.9: it grows like 1 / ε",
            close["along"],
            2 * middle["along"],
        ),
        above("Theorem 3 at 0.98: mean sum of the queues", close["sum"], bounds.lower_bound),
        near(
            "Theorem 5 at 0.98: ε times the sum nears its limit",
            bounds.limit,
            report.epsilon * close["sum"],
            within=0.4,
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
                        Help goes to the longest queue, and arrivals to the shortest of their local
                        ones. Both pull the queues together, with a force that does not depend on
                        how long they are. The sum has no such force: what pulls it down is the
                        spare capacity ε alone. So the sum grows like 1 / ε and the differences do
                        not: seen from afar, the vector is on the line. There it behaves as *one*
                        queue would that is served by all. This is state-space collapse, Theorem 4,
                        and why no algorithm can do better there, Theorem 5.
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
