"""Figures, drawn from results only, never from a live run."""
