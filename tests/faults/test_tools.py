"""The tools around the matrix: random faults can be replayed, and eight mutations are known."""

from __future__ import annotations

from itertools import islice

from tests.faults.mutant import MUTATIONS
from tests.faults.mutations import MOMENTS
from tests.faults.random_faults import choices
from tests.faults.table import CASES, Fault


def test_a_seed_replays_its_choices() -> None:
    """The same seed gives the same cases, each with the same seed of its own; another gives others."""
    first, again, other = (list(islice(choices(seed, mounts=True), 200)) for seed in (7, 7, 8))
    assert first == again != other
    assert len({case for case, _ in first}) > len(CASES) / 2


def test_without_the_right_to_mount_no_full_disk_is_chosen() -> None:
    """What cannot be brought about is left out, not counted as held."""
    assert all(case.fault is not Fault.DISK_FULL for case, _ in islice(choices(1, mounts=False), 500))


def test_eight_mutations_have_a_moment_that_catches_them() -> None:
    """Each is tried on the channel, but for that of the outbox, which needs a disk that loses power."""
    assert len(MUTATIONS) == 8
    assert MUTATIONS.keys() - MOMENTS.keys() == {"outbox-without-fsync"}
