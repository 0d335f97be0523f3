# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The live demo: a cluster with a hot spot under two policies, and the theory beside it."""

import marimo

app = marimo.App(width="full", app_title="cluster_sim: live demo", css_file="style.css")


@app.cell
def _():
    import marimo as mo

    from cluster_sim.demo import panels
    from cluster_sim.demo.predictions import boundary_chart, rows
    from cluster_sim.demo.scenes import Scene, measure, record_scene
    from cluster_sim.demo.widget import ReplayWidget

    return ReplayWidget, Scene, boundary_chart, measure, mo, panels, record_scene, rows


@app.cell
def _(mo):
    mo.md(
        """
        # Who helps whom

        A task runs fast where its data is. Some servers hold hot data: they get more than they can
        serve, and others must help. Move the sliders; play the run; compare what you see with what
        the theory says.
        """
    )
    return


@app.cell
def _(mo, panels):
    sliders = mo.ui.dictionary(panels.sliders(mo))
    choices = mo.ui.dictionary(panels.choices(mo))
    return choices, sliders


@app.cell
def _(choices, panels, sliders):
    scene = panels.scene_of(sliders.value, choices.value)
    policies = panels.policies_of(choices.value)
    return policies, scene


@app.cell
def _(ReplayWidget, Scene, mo, record_scene):
    # Made once; later runs are shown by the same widget, which stays at its slot.
    widget = ReplayWidget([record_scene(Scene().scenario("priority", slots=1))])
    view = mo.ui.anywidget(widget)
    return view, widget


@app.cell
def _(measure, panels, policies, scene):
    measured = [
        measure(scene.scenario(name, panels.N_MEASURED, warmup=panels.N_WARMUP))
        for name in policies
    ]
    return (measured,)


@app.cell
def _(choices, mo, sliders):
    foot = mo.md("The first run under a policy takes some seconds: the policy is compiled.")
    controls = [*sliders.values(), *choices.values()]
    mo.sidebar([mo.md("## Controls"), *controls], footer=foot, width="19rem")
    return


@app.cell
def _(boundary_chart, measured, mo, panels, rows, scene):
    mo.hstack(
        [
            mo.Html(panels.theory_html(rows(scene, measured), measured)),
            mo.Html(boundary_chart(scene)),
        ],
        widths=[3, 2],
        gap=2,
        align="start",
    )
    return


@app.cell
def _(view):
    # In a cell of its own, so that it is not made anew when a number changes.
    view
    return


@app.cell
def _(panels, policies, record_scene, scene, widget):
    # Last, because it takes longest: the numbers above need not wait for it.
    widget.show(
        [record_scene(scene.scenario(name, panels.N_WATCHED)) for name in policies],
        panels.subtitle(scene),
    )
    return


if __name__ == "__main__":
    app.run()
