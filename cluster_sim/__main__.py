"""``python -m cluster_sim`` is ``cluster-sim``."""

from __future__ import annotations

import sys

from cluster_sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
