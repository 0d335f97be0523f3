"""An index of the longest queues, in (near) constant time a change.

The queues of a group stand in one array, sorted by key; queues of equal key form a bucket, a run of
the array. When a key changes, the queue steps over the buckets between, one swap each: one step for
a change by one. No length is too long for it, and its memory is a few numbers a queue.

Plain functions over plain sequences: the SimPy scheduler passes lists, the compiled engine arrays,
and both keep the same order, so that ties are broken alike. A queue's key is its length while it is
a candidate, else 0.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST

__all__ = ["move", "pick"]


def move(
    order: MutableSequence[int],
    position: MutableSequence[int],
    bucket: MutableSequence[int],
    first: MutableSequence[int],
    last: MutableSequence[int],
    key: MutableSequence[int],
    free: MutableSequence[int],
    group_first: int,
    group_last: int,
    queue: int,
    new_key: int,
) -> None:
    """Give a queue a new key.

    Parameters
    ----------
    order : int sequence, shape (n_queues,)
        Queues, sorted by key within each group's run.
    position : int sequence, shape (n_queues,)
        Where each queue stands in `order`.
    bucket : int sequence, shape (n_queues,)
        The bucket of each queue.
    first, last, key : int sequence, shape (n_queues + 2,)
        Of each bucket: its run in `order`, both ends included, and its key.
    free : int sequence, shape (n_queues + 3,)
        Unused buckets as a stack; entry 0 is their number.
    group_first, group_last : int
        The group's run in `order`.
    queue, new_key : int
    """
    home = bucket[queue]
    while key[home] != new_key:
        upward = new_key > key[home]
        edge = last[home] if upward else first[home]
        beside = edge + 1 if upward else edge - 1
        # Swap to the edge of the bucket, then step over the border.
        place = position[queue]
        other = order[edge]
        order[place], order[edge] = other, queue
        position[other], position[queue] = place, edge
        is_alone = first[home] == last[home]
        inside = group_first <= beside <= group_last
        next_home = bucket[order[beside]] if inside else -1
        fits = inside and (key[next_home] <= new_key if upward else key[next_home] >= new_key)
        if is_alone and not fits:
            key[home] = new_key
        else:
            if upward:
                last[home] -= 1
            else:
                first[home] += 1
            if is_alone:
                free[0] += 1
                free[free[0]] = home
            if not fits:
                home = free[free[0]]
                free[0] -= 1
                first[home] = edge
                last[home] = edge
                key[home] = new_key
            else:
                home = next_home
                if upward:
                    first[home] -= 1
                else:
                    last[home] += 1
            bucket[queue] = home


def pick(
    order: Sequence[int],
    first: int,
    last: int,
    near: Sequence[int],
    n_queues: int,
    server: int,
    tie_break: int,
    tie: float,
) -> int:
    """Return one of the entries of a bucket.

    Parameters
    ----------
    order : int sequence
        Entries: queues, or queues plus a multiple of `n_queues` where one array serves several
        tiers.
    first, last : int
        The bucket's run in `order`.
    near : int sequence, shape (n_tiers * n_queues,)
        ``near[t * n_queues + q]`` is the group of queue q's server at tier t (queue m being server
        m's).
    n_queues : int
    server : int
        Who asks.
    tie_break : int
        `UNIFORMLY`, `LOCAL_FIRST` or `BY_INDEX`.
    tie : float
        Uniform on [0, 1).

    Returns
    -------
    int
    """
    if tie_break == BY_INDEX:
        lowest = order[first]
        for i in range(first + 1, last + 1):
            lowest = min(lowest, order[i])
        return lowest
    if tie_break == LOCAL_FIRST:
        for base in range(0, len(near), n_queues):
            n_near = 0
            for i in range(first, last + 1):
                if near[base + order[i] % n_queues] == near[base + server]:
                    n_near += 1
            n = int(tie * n_near)
            for i in range(first, last + 1):
                if near[base + order[i] % n_queues] == near[base + server]:
                    if n == 0:
                        return order[i]
                    n -= 1
    return order[first + int(tie * (last - first + 1))]
