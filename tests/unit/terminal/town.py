"""A registry of a small town for tests: outlets of each zone type, tills, import terminals, games, a closure."""

from __future__ import annotations

from collections.abc import Iterable

from fucai.terminal.known import Known, build_known
from fucai.v1.registry_pb2 import Closure, Game, GetSnapshotResponse, Outlet, RegistryRecord, Terminal, Zone

ZONE_TYPES = ("business_district", "complex", "night_market", "pedestrian_street")
FORMATS = ("convenience_store", "commercial_complex", "night_market", "pedestrian_street", "supermarket")
OPENED = "2020-01-01"
SPRING = ("2025-01-27", "2025-02-05")

GAMES = (
    Game(
        game="ssq",
        valid_from="2013-01-01",
        name="双色球",
        game_type="lotto",
        unit_price_fen=200,
        has_draws=True,
        max_multiplier=99,
        max_ticket_fen=2_000_000,
        draw_weekdays=[2, 4, 7],
        draw_time="21:15",
    ),
    Game(
        game="3d",
        valid_from="2013-01-01",
        name="福彩3D",
        game_type="number",
        unit_price_fen=200,
        has_draws=True,
        draw_weekdays=range(1, 8),
        draw_time="21:15",
    ),
    Game(
        game="qlc",
        valid_from="2013-01-01",
        name="七乐彩",
        game_type="lotto",
        unit_price_fen=200,
        has_draws=True,
        draw_weekdays=[1, 3, 5],
        draw_time="21:15",
    ),
    Game(
        game="kl8",
        valid_from="2013-01-01",
        name="快乐8",
        game_type="keno",
        unit_price_fen=200,
        has_draws=True,
        draw_weekdays=range(1, 8),
        draw_time="21:30",
    ),
    Game(
        game="instant",
        valid_from="2013-01-01",
        name="刮刮乐",
        game_type="instant",
        face_values_fen=[200, 500, 1000, 2000, 3000, 5000],
    ),
)


def records(outlets: int = 54) -> list[RegistryRecord]:
    """The registry's records, for that many outlets."""
    zones = [Zone(zone_id=f"Z{number:02}", name=zone_type, zone_type=zone_type) for number, zone_type in _numbered()]
    found = [RegistryRecord(zone=zone) for zone in zones]
    for number in range(1, outlets + 1):
        outlet_id = f"{number:04}"
        outlet = Outlet(
            outlet_id=outlet_id,
            valid_from=OPENED,
            opened=OPENED,
            name=f"outlet {outlet_id}",
            zone_id=f"Z{number % len(ZONE_TYPES):02}",
            format=FORMATS[number % len(FORMATS)],
            channel_class="concurrent",
        )
        till = Terminal(terminal_id=f"T{outlet_id}", valid_from=OPENED, outlet_id=outlet_id, kind="till")
        past = Terminal(terminal_id=f"import:{outlet_id}", valid_from=OPENED, outlet_id=outlet_id, kind="import")
        found += [RegistryRecord(outlet=outlet), RegistryRecord(terminal=till), RegistryRecord(terminal=past)]
    found += [RegistryRecord(game=game) for game in GAMES]
    closure = Closure(first_day=SPRING[0], last_day=SPRING[1], scope="draw_games", name="spring_festival")
    found.append(RegistryRecord(closure=closure))
    return found


def known(extra: Iterable[RegistryRecord] = (), *, outlets: int = 54) -> Known:
    """The town as a terminal's side knows it, with some records more."""
    snapshot = GetSnapshotResponse(revision=1, records=[*records(outlets), *extra])
    return build_known([snapshot], timezone="Asia/Shanghai", currency="CNY")


def _numbered() -> list[tuple[int, str]]:
    return list(enumerate(ZONE_TYPES))
