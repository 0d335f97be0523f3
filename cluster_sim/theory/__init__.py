"""What should happen: capacity, ideal load decomposition, bounds, exact small chains.

Pure functions on plain arrays. Nothing here looks at a run; `report.theory_report`
gathers what the command line shows.
"""
