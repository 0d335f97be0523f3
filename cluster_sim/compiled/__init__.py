"""The compiled engine: kernels and a policy's own functions, compiled together by numba.

Nothing here imports numba until an engine is asked for, so the package works without it.
"""
