"""How much an outlet sells, of what, and at which hours. Pure; randomness comes from the seed.

Calibration: about 10,000 yuan a month an outlet, 70 to 90 % of it instant tickets, most in malls; the spread is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from fucai.v1.registry_pb2 import Outlet

MONTHLY_FEN = 10_000_00
LEAST_INSTANT, MOST_INSTANT = 0.70, 0.90

_SPREAD = 0.35
_GROWTH_MEAN, _GROWTH_SPREAD = 0.07, 0.06
_ZONE_VOLUME: Mapping[str, float] = {"business_district": 1.0, "complex": 1.1, "night_market": 0.95}
_FORMAT_VOLUME: Mapping[str, float] = {
    "commercial_complex": 1.15,
    "supermarket": 1.1,
    "pedestrian_street": 1.05,
    "convenience_store": 0.95,
}
_FORMAT_INSTANT: Mapping[str, float] = {
    "commercial_complex": 0.88,
    "theme_park": 0.88,
    "scenic_area": 0.87,
    "cinema": 0.87,
    "night_market": 0.84,
    "pedestrian_street": 0.83,
    "tea_coffee": 0.83,
    "supermarket": 0.76,
    "convenience_store": 0.75,
}
_USUAL_INSTANT = 0.80

_USUAL_WEEK = (0.95, 0.95, 0.97, 0.98, 1.05, 1.08, 1.02)
_WEEK: Mapping[str, tuple[float, ...]] = {
    "business_district": (1.05, 1.05, 1.05, 1.05, 1.1, 0.9, 0.8),
    "complex": (0.85, 0.83, 0.85, 0.88, 1.04, 1.32, 1.23),
    "night_market": (0.86, 0.86, 0.9, 0.95, 1.15, 1.24, 1.04),
    "pedestrian_street": (0.86, 0.86, 0.88, 0.92, 1.04, 1.28, 1.16),
}

# Weight of each hour of the day; nights stand for machines that never close.
_USUAL_HOURS = (1, 1, 1, 1, 1, 2, 8, 20, 40, 55, 65, 75, 80, 65, 60, 65, 75, 90, 95, 85, 60, 35, 12, 3)
_HOURS: Mapping[str, tuple[float, ...]] = {
    "business_district": (1, 1, 1, 1, 1, 2, 8, 30, 50, 50, 55, 90, 100, 70, 50, 50, 65, 100, 95, 60, 40, 20, 8, 2),
    "complex": (1, 1, 1, 1, 1, 1, 2, 4, 10, 45, 65, 75, 80, 80, 80, 85, 85, 90, 100, 100, 85, 45, 10, 2),
    "night_market": (6, 2, 1, 1, 1, 1, 3, 6, 8, 10, 12, 18, 20, 16, 14, 16, 25, 50, 90, 130, 140, 120, 70, 25),
    "pedestrian_street": (1, 1, 1, 1, 1, 1, 3, 8, 25, 50, 70, 80, 80, 85, 95, 100, 95, 85, 85, 80, 60, 30, 8, 2),
}


@dataclass(frozen=True, slots=True)
class OutletProfile:
    """How one outlet differs: expected sales of 30 days in fen, share of instant tickets in them, growth a year."""

    outlet_id: str
    zone_type: str
    monthly_fen: float
    instant_share: float
    growth: float
    companion_share: float


def profile(outlet: Outlet, zone_type: str, seed: int) -> OutletProfile:
    """The profile of an outlet: its own for ever under one seed, shaped by its zone's type and its trade format."""
    random = Random(f"{seed}/outlet/{outlet.outlet_id}")
    own = random.lognormvariate(-_SPREAD * _SPREAD / 2, _SPREAD)
    instant = _FORMAT_INSTANT.get(outlet.format, _USUAL_INSTANT) + random.uniform(-0.03, 0.03)
    growth = random.gauss(_GROWTH_MEAN, _GROWTH_SPREAD)
    volume = _ZONE_VOLUME.get(zone_type, 1.0) * _FORMAT_VOLUME.get(outlet.format, 1.0)
    return OutletProfile(
        outlet_id=outlet.outlet_id,
        zone_type=zone_type,
        monthly_fen=MONTHLY_FEN * volume * own,
        instant_share=min(MOST_INSTANT, max(LEAST_INSTANT, instant)),
        growth=growth,
        companion_share=0.0 if outlet.channel_class == "exclusive" else random.uniform(0.25, 0.55),
    )


def weekday_factor(zone_type: str, isoweekday: int) -> float:
    """Sales of a weekday (1 for Monday) against the mean day."""
    week = _WEEK.get(zone_type, _USUAL_WEEK)
    return week[isoweekday - 1] * len(week) / sum(week)


def hour_weights(zone_type: str) -> tuple[float, ...]:
    """Share of a day's sales in each of its 24 hours; sums to 1."""
    hours = _HOURS.get(zone_type, _USUAL_HOURS)
    total = sum(hours)
    return tuple(weight / total for weight in hours)
