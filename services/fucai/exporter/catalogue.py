"""All questions that the exporter asks, in order. Which metrics they become stands beside each question."""

from __future__ import annotations

from fucai.exporter.benchmark import GRAINS, benchmark_question
from fucai.exporter.concentration import concentration_question
from fucai.exporter.decompose import decompose_question
from fucai.exporter.family import CHANNEL, DISTRICT, GAME, ZONE_TYPE, zones
from fucai.exporter.growth import MEASURES, OF_ZONES, growth_question
from fucai.exporter.headline import headline_question
from fucai.exporter.question import Asking, Question
from fucai.exporter.scale import scale_question
from fucai.exporter.watch import alerts_question, silent_question

_IN_HEADLINE = (CHANNEL, ZONE_TYPE)


def all_questions(asking: Asking) -> tuple[Question, ...]:
    """The headline first, for it says which days the others are of; zones only where some are wanted."""
    everything = tuple(MEASURES)
    found = [headline_question(asking)]
    found += [scale_question(asking, place, in_headline=place in _IN_HEADLINE) for place in (*_IN_HEADLINE, DISTRICT)]
    found += [
        growth_question(place, in_headline=place in _IN_HEADLINE, measures=everything)
        for place in (*_IN_HEADLINE, DISTRICT, GAME)
    ]
    if asking.most_zones:
        place = zones(asking.most_zones)
        found.append(scale_question(asking, place, in_headline=False))
        found.append(growth_question(place, in_headline=False, measures=OF_ZONES))
    found.append(decompose_question())
    found += [concentration_question(place) for place in _IN_HEADLINE]
    found += [benchmark_question(asking, grain) for grain in GRAINS]
    return (*found, alerts_question(asking), silent_question())
