"""What happens, fast: plain functions on plain arrays, compiled by `cluster_sim.compiled`.

Nothing here is decorated. The functions run as Python (slowly) and are compiled together with the
functions of a policy. The arrays come in named tuples (`parts`): compiled without counting
references, they are as fast as arrays passed one by one.
"""
