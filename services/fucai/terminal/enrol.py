"""Which outlets, games and import terminals a file of history needs, and which of them the registry lacks.

Decides only; the caller stores the records.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from fucai.terminal.known import IMPORT_KIND, Known, import_terminal_id
from fucai.terminal.rows import BadRowError
from fucai.terminal.spool import Spool
from fucai.v1.registry_pb2 import Game, Outlet, RegistryRecord, Terminal

SUMMARY_TYPE = "summary"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_NO_CODE = re.compile(r"[^a-z0-9]+")
_MAX_CODE = 32


@dataclass(frozen=True, slots=True)
class OutletTraits:
    """What a newly registered outlet is given, besides its id."""

    zone_id: str = ""
    district_code: str = ""
    mgmt_area: str = ""
    format: str = ""
    channel_class: str = ""


@dataclass(slots=True)
class Enrolment:
    """Resolves a file's outlets and games against the registry.

    With `register`, what is unknown is noted to be created; without, it is a fault of the row.
    """

    known: Known
    register: bool
    traits: OutletTraits = field(default_factory=OutletTraits)
    _codes: dict[str, str] = field(default_factory=dict)
    _new_games: dict[str, str] = field(default_factory=dict)

    def check_outlet(self, outlet_id: str, day: int) -> None:
        """Whether the outlet may have sold on that day (an ordinal).

        Raises:
            BadRowError: it is unknown, or was not open on that day.
        """
        versions = self.known.outlets.get(outlet_id)
        if versions is None:
            if self.register:
                return
            raise BadRowError(f"outlet: {outlet_id!r} is not registered; register it, or give --register")
        text = date.fromordinal(day).isoformat()
        if self.known.outlet_on(outlet_id, text) is None:
            raise BadRowError(
                f"outlet: {outlet_id!r} was not open on {text} (opened {versions[0].opened}"
                f"{', closed ' + versions[-1].closed if versions[-1].closed else ''}); correct the day or the registry"
            )
        terminal = self.known.terminal_on(import_terminal_id(outlet_id), text)
        if terminal is not None and (terminal.kind, terminal.outlet_id) != (IMPORT_KIND, outlet_id):
            raise BadRowError(
                f"outlet: terminal {terminal.terminal_id!r} is bound to {terminal.outlet_id!r} as {terminal.kind}; "
                f"bind it to {outlet_id!r} as import"
            )

    def game_code(self, text: str, day: int) -> str:
        """The catalogue's code for what a file calls a game: the code itself, else the name of a known game.

        With `register` an unknown one gets a code: the text itself where it can be a code, else its letters and
        digits in lower case, joined with "_" ("Lotto 649" is lotto_649).

        Raises:
            BadRowError: the game is unknown, or not on sale on that day (an ordinal), or no code can be made.
        """
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = self._resolve(text)
        versions = self.known.games.get(code)
        if versions and date.fromordinal(day).isoformat() < versions[0].valid_from and not self._extends(code):
            raise BadRowError(f"game: {text!r} is on sale from {versions[0].valid_from} only; correct the day")
        return code

    def records(self, spool: Spool) -> Iterator[RegistryRecord]:
        """What has to be registered before the spool's rows can be sent: games, outlets, import terminals."""
        for game, day in spool.first_day_by_game.items():
            record = self._game(game, date.fromordinal(day).isoformat())
            if record is not None:
                yield RegistryRecord(game=record)
        for outlet_id, day in spool.first_day_by_outlet.items():
            if outlet_id not in self.known.outlets:
                yield RegistryRecord(outlet=self._outlet(outlet_id, date.fromordinal(day).isoformat()))
        for outlet_id, day in spool.first_day_by_outlet.items():
            first = date.fromordinal(day).isoformat()
            terminal_id = import_terminal_id(outlet_id)
            if self.known.terminal_on(terminal_id, first) is None:
                yield RegistryRecord(
                    terminal=Terminal(terminal_id=terminal_id, valid_from=first, outlet_id=outlet_id, kind=IMPORT_KIND)
                )

    def _resolve(self, text: str) -> str:
        if text in self.known.games:
            return text
        named = [code for code, versions in self.known.games.items() if versions[-1].name == text]
        if len(named) == 1:
            return named[0]
        if not self.register:
            raise BadRowError(
                f"game: {text!r} is in no catalogue (it has {', '.join(self.known.games) or 'no games'}); "
                "register it, or give --register"
            )
        code = game_code_of(text)
        taken = self._new_games.setdefault(code, text)
        if taken != text or code in self.known.games:
            raise BadRowError(f"game: {text!r} would share the code {code!r}; register it under its own")
        return code

    def _extends(self, code: str) -> bool:
        return self.register and all(version.game_type == SUMMARY_TYPE for version in self.known.games[code])

    def _game(self, game: str, first: str) -> Game | None:
        versions = self.known.games.get(game)
        if versions is None:
            return Game(
                game=game,
                valid_from=first,
                name=self._new_games.get(game, game),
                game_type=SUMMARY_TYPE,
                basis="met in an import of daily sales",
            )
        if versions[0].valid_from <= first:
            return None
        earlier = Game()
        earlier.CopyFrom(versions[0])
        earlier.valid_from = first
        return earlier

    def _outlet(self, outlet_id: str, first: str) -> Outlet:
        traits = self.traits
        return Outlet(
            outlet_id=outlet_id,
            valid_from=first,
            name=outlet_id,
            zone_id=traits.zone_id,
            district_code=traits.district_code,
            mgmt_area=traits.mgmt_area,
            format=traits.format,
            channel_class=traits.channel_class,
            opened=first,
        )


def game_code_of(text: str) -> str:
    """The code for a game known by name only; see `Enrolment.game_code`.

    Raises:
        BadRowError: the name has no Latin letter or digit to make a code of.
    """
    if _CODE.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    code = _NO_CODE.sub("_", plain).strip("_")[:_MAX_CODE].rstrip("_")
    if not code:
        raise BadRowError(f"game: no code can be made of {text!r}; register the game under a code of its own first")
    return code
