"""What happens, fast: plain functions on plain arrays, compiled by `cluster_sim.compiled`.

Nothing here is decorated. The functions run as Python (slowly) and are compiled together with the
two functions of a policy; arrays are passed one by one, because numba is several times slower with
arrays inside a tuple.
"""
