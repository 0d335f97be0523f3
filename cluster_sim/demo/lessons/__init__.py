"""The lessons, one marimo notebook a topic; each also runs as a script and checks its claims."""
