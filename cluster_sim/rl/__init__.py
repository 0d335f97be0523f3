"""The scheduler as an agent: a Gymnasium environment, registered as ``cluster_sim/NearData-v0``.

It needs the extra ``rl``.

Examples
--------
>>> import gymnasium
>>> env = gymnasium.make("cluster_sim.rl:cluster_sim/NearData-v0", slots=50)
>>> observation, info = env.reset(seed=1)
>>> int(info["action_mask"].sum()) > 0
True
"""

import gymnasium

from cluster_sim.rl.environment import NearDataEnv

__all__ = ["ENVIRONMENT", "NearDataEnv"]

ENVIRONMENT = "cluster_sim/NearData-v0"

gymnasium.register(id=ENVIRONMENT, entry_point="cluster_sim.rl.environment:NearDataEnv")
