"""What a seed stands for: a small channel, what its tills record, and what befalls it. Nothing happens here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tests.simulation.world import PointFault

HORIZON_MS = 26_000
LOADER_POINTS = (
    "poll", "commit", "committed", "create", "created", "list", "drop", "dropped", "restore", "restored",
    "insert", "inserting",
)  # fmt: skip
FAILING_POINTS = (
    "commit",
    "committed",
    "create",
    "created",
    "list",
    "drop",
    "dropped",
    "restore",
    "restored",
    "insert",
)
_AGENT_KINDS = (
    "agent crash", "agent power", "agent pause", "agent damage", "agent clock", "agent clock back", "agent crash loop",
    "agent crash loop",
)  # fmt: skip
_LOADER_KINDS = (
    "loader crash", "loader pause", "loader zombie", "loader cut", "loader replaced", "loader crash loop",
)  # fmt: skip
AGENT_POINTS = ("record", "recorded", "acknowledge", "acknowledged", "write")


@dataclass(frozen=True, slots=True)
class Sale:
    """A till records `count` events of terminal number `terminal`, the ones at `bad` with a wrong amount."""

    at_ms: int
    terminal: int
    count: int
    bad: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something befalls number `number` of a kind of process, or log or store, at an instant, for `ms`."""

    at_ms: int
    kind: str
    number: int = 0
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One history before it happens. `bound_ms` tells when the registry learns of each terminal; 0 from the start."""

    seed: int
    partitions: int
    bound_ms: tuple[int, ...]
    collectors: int
    loaders: int
    workers: int
    sales: tuple[Sale, ...]
    faults: tuple[Fault | PointFault, ...]


def make_scenario(seed: int) -> Scenario:
    """The scenario of a seed."""
    random = Random(seed)
    terminals, collectors, loaders = random.randint(2, 4), random.randint(1, 2), random.choice((1, 1, 1, 2, 2, 2, 3))
    hot = [random.randint(500, HORIZON_MS - 8_000) for _ in range(random.randint(1, 3))]
    bound_ms = [
        random.choice(hot) + random.randint(100, 4_000) if random.random() < 0.2 else 0 for _ in range(terminals)
    ]
    sales = []
    for terminal in range(terminals):
        for _ in range(random.randint(2, 6)):
            count = random.randint(1, 3)
            bad = tuple(index for index in range(count) if random.random() < 0.05)
            sales.append(Sale(random.choice(hot) + random.randint(0, 1_500), terminal, count, bad))
    makers = random.sample(_MAKERS, random.randint(1, 3))
    faults: list[Fault | PointFault] = []
    for _ in range(random.choice((0, 1, 2, 3, 4, 6, 8, 10))):
        fault = random.choice(makers)(random, terminals, collectors, loaders)
        if isinstance(fault, Fault) and random.random() < 0.8:
            fault = replace(fault, at_ms=max(100, random.choice(hot) + random.randint(-2_000, 2_500)))
        faults.append(fault)
    return Scenario(
        seed,
        random.randint(2, 4),
        tuple(bound_ms),
        collectors,
        loaders,
        random.randint(1, 2),
        tuple(sorted(sales, key=lambda sale: sale.at_ms)),
        tuple(faults),
    )


def _when(random: Random) -> int:
    return random.randint(200, HORIZON_MS)


def _agent_fault(random: Random, terminals: int, _collectors: int, _loaders: int) -> Fault | PointFault:
    terminal = random.randrange(terminals)
    if random.random() < 0.4:
        action = random.choice(("crash", "power"))
        return PointFault(f"agent-{terminal}", random.choice(AGENT_POINTS), random.randint(1, 4), action)
    kind = random.choice(_AGENT_KINDS)
    return Fault(_when(random), kind, terminal, random.randint(500, 9_000))


def _network_fault(random: Random, terminals: int, _collectors: int, _loaders: int) -> Fault:
    kind = random.choice(("stream break", "flaky network", "half-open stream", "receipt lost", "receipt twice"))
    return Fault(_when(random), kind, random.randrange(terminals), random.randint(500, 9_000))


def _collector_fault(random: Random, _terminals: int, collectors: int, _loaders: int) -> Fault | PointFault:
    collector = random.randrange(collectors)
    if random.random() < 0.3:
        return PointFault(f"collector-{collector}", "send", random.randint(1, 6), "crash")
    kind = random.choice(("collector crash", "collector pause", "collector clock", "registry away"))
    return Fault(_when(random), kind, collector, random.randint(500, 9_000))


def _log_fault(random: Random, _terminals: int, collectors: int, _loaders: int) -> Fault:
    if random.random() < 0.25:
        return Fault(_when(random), "broker away", ms=random.randint(500, 8_000))
    kind = random.choice(("lost answer", "lost request", "stuck request", "lost delivery", "foreign record"))
    return Fault(_when(random), kind, random.randrange(collectors), random.randint(1, 3))


def _loader_fault(random: Random, _terminals: int, _collectors: int, loaders: int) -> Fault:
    kind = random.choice(_LOADER_KINDS)
    longest = {"loader pause": 3_000, "loader zombie": 16_000}.get(kind, 9_000)
    return Fault(_when(random), kind, random.randrange(loaders), random.randint(longest // 3, longest))


def _group_fault(random: Random, _terminals: int, _collectors: int, loaders: int) -> Fault:
    kind = random.choice(("loader leaves", "loader joins"))
    return Fault(_when(random), kind, random.randrange(loaders), random.randint(3_000, 15_000))


def _loader_point(random: Random, _terminals: int, _collectors: int, loaders: int) -> PointFault:
    loader = f"loader-{random.randrange(loaders)}"
    action = random.choice(("crash", "pause", "zombie", "fail"))
    point = random.choice(FAILING_POINTS if action == "fail" else LOADER_POINTS)
    ms = random.randint(100, 2_000) if action == "pause" else random.randint(7_000, 14_000)
    nth = random.randint(1, 30 if point == "poll" else 6)
    return PointFault(loader, point, nth, "pause" if action == "zombie" else action, ms)


def _store_fault(random: Random, _terminals: int, _collectors: int, _loaders: int) -> Fault:
    kind = random.choice(
        (
            "store away",
            "store killed",
            "insert in part",
            "insert in part",
            "lost insert answer",
            "slow insert",
            "flaky store",
            "flaky store",
            "stuck insert",
        )
    )
    return Fault(_when(random), kind, random.randint(0, 3), random.randint(300, 8_000))


_MAKERS = (
    _agent_fault, _network_fault, _collector_fault, _log_fault, _loader_fault, _loader_point, _store_fault,
    _group_fault,
)  # fmt: skip
"""A seed draws its faults from a few of these, so that they come in numbers and meet."""
