"""The stationary distribution of a finite Markov chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu

DIRECT_SIZE = 4000
MAX_STEPS = 200_000


def stationary_distribution(
    transitions: csr_array, *, start: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the row vector ``x`` with ``x = x P`` and sum 1.

    Parameters
    ----------
    transitions
        Stochastic matrix of shape (n, n), every state reachable from state 0 and back.
    start
        A first guess, used by the iteration that solves large chains.

    Raises
    ------
    ArithmeticError
        If the iteration has not settled after ``MAX_STEPS`` steps.
    """
    n = transitions.shape[0]
    if n <= DIRECT_SIZE:
        return _direct(transitions)
    x = np.full(n, 1 / n) if start is None else start
    forward = transitions.T.tocsr()
    for step in range(MAX_STEPS):
        after = forward @ x
        if step % 20 == 0 and np.abs(after - x).sum() < 1e-14:
            return np.asarray(after / after.sum())
        x = after
    raise ArithmeticError(f"not settled after {MAX_STEPS} steps: {np.abs(after - x).sum()=}")


def _direct(transitions: csr_array) -> NDArray[np.float64]:
    """Solve with the weight of state 0 fixed to 1, which leaves a regular system."""
    n = transitions.shape[0]
    if n == 1:
        return np.ones(1)
    balance = csc_array((eye_array(n) - transitions).T)
    others = splu(csc_array(balance[1:, 1:])).solve(-balance[1:, [0]].toarray().ravel())
    x = np.concatenate([[1.0], others])
    return np.asarray(x / x.sum())
