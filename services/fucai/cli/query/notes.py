"""What an answer says of itself beside its figures: which comparisons mislead, and which games have no rate."""

from __future__ import annotations

from collections.abc import Iterable

from fucai.cli.numbers import exact
from fucai.cli.out.sheet import Note, Tone
from fucai.cli.query.measured import MEASURES
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb


def caution_notes(found: Iterable[pb.Caution]) -> list[Note]:
    """A warning for each comparison that misleads, with the days that it is of."""
    return [
        Note(
            Label(
                f"{one.from_day}…{one.to_day} 对 {one.base_from_day}…{one.base_to_day}：{one.text_zh}",
                f"{one.from_day}…{one.to_day} against {one.base_from_day}…{one.base_to_day}: {one.text_en}",
            ),
            Tone.WARNING,
        )
        for one in found
    ]


def unrated_notes(found: Iterable[pb.UnratedGame], currency: str) -> list[Note]:
    """A warning for each game without a rate: which measures are absent for it, and what it sold on such days."""
    return [Note(_unrated(one, currency), Tone.WARNING) for one in found]


def _unrated(one: pb.UnratedGame, currency: str) -> Label:
    named = [MEASURES.get(name, Label(name, name)) for name in one.measures]
    amounts = [exact(fen) for fen in (one.sales_fen, one.base_sales_fen)]
    return Label(
        f"{one.name}（{one.game}）无费率，{'、'.join(label.zh for label in named)}未给出；"
        f"涉及销售额 {amounts[0]}，基期 {amounts[1]}（{currency}）。请在游戏目录中补登费率",
        f"{one.name} ({one.game}) has no rate, so {', '.join(label.en for label in named)} are absent; "
        f"sales concerned: {amounts[0]}, base {amounts[1]} ({currency}). Register its rates in the game catalogue",
    )
