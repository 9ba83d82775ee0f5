"""Names stand for codes: what people read in an answer they may type in a question."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fucai.cli.query.selecting import asked_of, dimensions_of
from fucai.domain.labels import BY_DIMENSION, DIMENSIONS, Label, code_called
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import FakeAnalytics, run, serving
from tests.unit.cli.report.answers import FullAnalytics


@pytest.mark.parametrize("names", [DIMENSIONS, *BY_DIMENSION.values()])
def test_every_name_leads_back_to_its_code(names: Mapping[str, Label]) -> None:
    """By code, Chinese and English; no two codes share a name; what is no name stays."""
    for code, label in names.items():
        assert {code_called(name, names) for name in (code, label.zh, label.en)} == {code}
    assert code_called("和平", names) == "和平"


def test_conditions_and_dimensions_may_be_named() -> None:
    """The request has codes, whatever was typed; a value is named within its own dimension."""
    asked = asked_of(
        only=["区域类型=夜市, complex"], leave_out=["业态=夜市", "期次=2026058", "星期=周一", "channel class=兼营店"]
    )
    assert [(one.dimension, list(one.values), one.exclude) for one in asked.selection.filters] == [
        ("zone_type", ["night_market", "complex"], False),
        ("format", ["night_market"], True),
        ("draw", ["2026058"], True),
        ("weekday", ["1"], True),
        ("channel_class", ["concurrent"], True),
    ]
    assert dimensions_of("区域类型, district,游戏") == ["zone_type", "district", "game"]


def test_a_headline_by_a_name_and_without_a_base_of_its_own() -> None:
    """Its --by takes names; it has no --base-from, so base_period is no choice, and the help says where it is one."""
    service = FakeAnalytics()
    with serving(service) as address:
        named = run("query", "headline", "--by", "区域类型", FUCAI_ANALYTICS=address)
        refused = run("query", "headline", "--compare", "base_period", FUCAI_ANALYTICS=address)
    assert named.exit_code == 0, named.err
    assert isinstance(service.asked, pb.HeadlineRequest)
    assert service.asked.by == "zone_type"
    assert refused.exit_code == 64
    assert "base_period" in refused.err


def test_a_ranking_takes_names_as_well() -> None:
    """What is ranked, and within what."""
    service = FullAnalytics()
    with serving(service) as address:
        ran = run("query", "rank", "--of", "区域", "--within", "分区", FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    asked = next(one for one in service.requests if isinstance(one, pb.RankRequest))
    assert (asked.of, asked.within) == ("zone", "mgmt_area")
