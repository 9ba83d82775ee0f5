"""What may be sold where and when, as one immutable lookup: games and terminal bindings by business day. No I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from fucai.v1 import registry_pb2

T = TypeVar("T")

INSTANT = "instant"
SUMMARY = "summary"
IMPORT_KIND = "import"


@dataclass(frozen=True, slots=True)
class GameRules:
    """The rules of one version of a game that an event is checked against; amounts in fen, 0 or empty for no rule."""

    game: str
    game_type: str
    unit_price_fen: int
    has_draws: bool
    max_multiplier: int
    max_ticket_fen: int
    face_values_fen: frozenset[int]


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a terminal stands, or stood: `outlet_id` is empty for one withdrawn from use; kind is till or import.

    `public_keys` are the Ed25519 keys that its statements of that time may be signed with.
    """

    outlet_id: str
    kind: str
    public_keys: frozenset[bytes] = frozenset()

    @property
    def takes_history(self) -> bool:
        """Whether the terminal sends daily summaries of the past, and nothing else."""
        return self.kind == IMPORT_KIND


class History(Generic[T]):
    """Versions of one thing, each valid until the day before the next one. Days are ordinals (`date.toordinal`)."""

    __slots__ = ("_days", "_versions")

    def __init__(self, versions: Mapping[int, T]) -> None:
        """Takes at least one version, by the ordinal of its first day."""
        self._days = sorted(versions)
        self._versions = [versions[day] for day in self._days]

    def on(self, day: int) -> T | None:
        """The version valid on that day; None before the first."""
        index = bisect_right(self._days, day)
        return self._versions[index - 1] if index else None

    @property
    def newest(self) -> T:
        """The last version."""
        return self._versions[-1]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Games by code and terminals by id, at one revision of the registry."""

    revision: int
    games: Mapping[str, History[GameRules]]
    terminals: Mapping[str, History[Binding]]

    def game_on(self, game: str, day: int) -> GameRules | None:
        """The game's rules on the day with that ordinal; None for a game unknown then."""
        history = self.games.get(game)
        return history.on(day) if history is not None else None

    def binding_on(self, terminal_id: str, day: int) -> Binding | None:
        """Where the terminal stood on the day with that ordinal; None for a terminal unknown then."""
        history = self.terminals.get(terminal_id)
        return history.on(day) if history is not None else None


def build_catalogue(revision: int, records: Iterable[registry_pb2.RegistryRecord]) -> Catalogue:
    """Builds the lookup from registry records, every version of each; records of other tables are passed over.

    Raises:
        ValueError: a valid_from is not a day of the form YYYY-MM-DD, or a public key is no hexadecimal number.
    """
    games: defaultdict[str, dict[int, GameRules]] = defaultdict(dict)
    terminals: defaultdict[str, dict[int, Binding]] = defaultdict(dict)
    for record in records:
        if record.HasField("terminal"):
            terminal = record.terminal
            keys = frozenset(bytes.fromhex(key) for key in terminal.public_key.split())
            binding = Binding(terminal.outlet_id, terminal.kind, keys)
            terminals[terminal.terminal_id][_ordinal(terminal.valid_from)] = binding
        elif record.HasField("game"):
            game = record.game
            games[game.game][_ordinal(game.valid_from)] = GameRules(
                game=game.game,
                game_type=game.game_type,
                unit_price_fen=game.unit_price_fen,
                has_draws=game.has_draws,
                max_multiplier=game.max_multiplier,
                max_ticket_fen=game.max_ticket_fen,
                face_values_fen=frozenset(game.face_values_fen),
            )
    return Catalogue(
        revision,
        {code: History(versions) for code, versions in games.items()},
        {terminal_id: History(versions) for terminal_id, versions in terminals.items()},
    )


EMPTY = Catalogue(0, {}, {})


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()
