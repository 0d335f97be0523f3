"""The live demo and the lessons: marimo notebooks, the replay as a widget, theory beside it."""
