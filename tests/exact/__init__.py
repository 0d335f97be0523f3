"""The ruler for the emulator: tiny clusters solved exactly, and sharing no code with it."""
