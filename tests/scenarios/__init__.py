"""The scenarios that ship with the project, and the scripts beside them."""
