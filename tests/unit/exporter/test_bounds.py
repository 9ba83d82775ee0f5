"""How many series the exporter can make at most, whatever analytics answers."""

from __future__ import annotations

from collections import Counter

import pytest
from google.protobuf.message import Message

from fucai.exporter.family import DISTRICT, GAME, ZONE_TYPE
from fucai.exporter.figures import families
from fucai.exporter.growth import MEASURES
from fucai.exporter.question import Question
from fucai.v1 import analytics_pb2 as pb
from tests.unit.exporter import answers
from tests.unit.exporter.rig import Rig

MANY = 1_000
ZONES = 200


def flood(question: Question) -> Message:
    """An answer with far too many groups, each with every measure, those of the last names with the largest sales."""
    names = [f"{number:05}" for number in range(MANY)]
    if question.method == "Headline":
        found = answers.headline()
        del found.groups[:]
        found.groups.extend(
            pb.HeadlineGroup(group=name, sales_fen=int(name), scale_growth=answers.UP, sales_growth=answers.UP)
            for name in names
        )
        return found
    if question.method == "Scale":
        rows = [answers.scale_row(name, sales_fen=int(name), growth=answers.UP) for name in names]
        return pb.ScaleResponse(rows=rows, about=answers.about())
    if question.method == "Rank":
        sold = {name: pb.Measurement(value=pb.Quantity(fen=int(name))) for name in names}
        places = [pb.RankRow(within=name, measurement=one) for name, one in sold.items()]
        spread = [pb.Concentration(within=name, members=9, top_share=0.2, gini=0.1) for name in names]
        return pb.RankResponse(pairing=answers.PAIRING, rows=places, concentrations=spread, about=answers.about())
    measures = tuple(
        pb.Measurement(measure=name, value=pb.Quantity(count=1), growth=answers.UP)
        for name in MEASURES
        if name != "sales"
    )
    return answers.growth(*(answers.growth_row(name, measures=measures) for name in reversed(names)))


@pytest.fixture(scope="module")
def flooded() -> Rig:
    """All questions by a dimension with such answers."""
    rig = Rig(most_zones=ZONES)
    for question in rig.questions:
        if question.place.dimension:
            rig.publish(question.name, flood(question))
    return rig


def test_each_dimension_has_at_most_so_many_values(flooded: Rig) -> None:
    """1,000 groups become 20 zone types, 50 districts, 50 games and 200 zones, and it is told how many were cut."""
    values = {
        (label, value)
        for sample in flooded.figures()
        for label, value in sample.labels.items()
        if label in {"zone_type", "district", "game", "zone"}
    }
    limits = {"zone_type": ZONE_TYPE.most, "district": DISTRICT.most, "game": GAME.most, "zone": ZONES}
    assert Counter(label for label, _ in values) == limits
    cut = flooded.values("fucai_exporter_groups_cut", "question")
    assert cut == {
        question.name: MANY - question.place.most for question in flooded.questions if question.place.dimension
    }
    assert cut["growth_zone"] == MANY - ZONES


def test_those_with_the_largest_sales_stay_and_are_the_same_in_every_question(flooded: Rig) -> None:
    """Scale, growth and headline cut alike, so that a shown place has all its figures."""
    largest = {f"{number:05}" for number in range(MANY - DISTRICT.most, MANY)}
    for name in ("fucai_district_installed_outlets", "fucai_district_bets"):
        assert set(flooded.values(name, "district")) == largest


def test_all_series_together_stay_few(flooded: Rig) -> None:
    """Below 12,000 series with zones, below 6,000 without: what one scrape of a small Prometheus bears."""
    samples = flooded.figures()
    assert len(samples) < 12_000
    assert len([one for one in samples if "zone" not in one.labels]) < 6_000


def test_nothing_is_told_by_outlet_or_terminal() -> None:
    """No metric has a label that grows with the channel; zones only where they are switched on."""
    asked = Rig(most_zones=ZONES).questions
    labels = {label for family in families(asked) for label in family.labels}
    assert not labels & {"outlet", "outlet_id", "terminal", "terminal_id", "draw", "draw_no"}
    assert "zone" in labels
    assert "zone" not in {label for family in families(Rig().questions) for label in family.labels}


def test_every_sample_is_of_a_declared_metric(flooded: Rig) -> None:
    """What the questions say they can become is all that they become, each with its help."""
    declared = {family.named("CNY") for family in families(flooded.questions)}
    assert {sample.name for sample in flooded.scrape()} <= declared
    assert all(family.text for family in families(flooded.questions))
