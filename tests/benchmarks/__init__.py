"""Timings with a stated goal each; `python -m tests.benchmarks.table` prints all of them."""
