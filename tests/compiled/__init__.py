"""The compiled engine does what the SimPy engine does, event by event."""
