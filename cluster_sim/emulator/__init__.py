"""What happens, readable: the SimPy engine."""
