"""A task tells its story as far as it has come."""

from __future__ import annotations

from cluster_sim.model.task import Task


def test_the_story_grows_with_what_happens() -> None:
    """Arrival, queue, start and service are told once they have happened."""
    task = Task(4, 7, [1, 3], 0.25)
    arrived = "task 4 (chunk on servers [1, 3]) arrived in slot 7"
    assert task.story() == arrived
    task.queue = 3
    assert task.story() == f"{arrived}, joined queue 3"
    task.server, task.start, task.tier, task.service = 0, 9, 1, 2
    assert task.story() == (
        f"{arrived}, joined queue 3, started in slot 9 on server 0 at tier 1, needs 2 slots"
    )


def test_a_task_shows_its_chunk() -> None:
    """The repr gives number, slot of arrival and replicas."""
    assert repr(Task(4, 7, (1, 3), 0.25)) == "Task(4, arrived 7, chunk on [1, 3])"
