"""Why sales changed, as metrics: the parts of the whole channel's change, in two ways that each sum to it."""

from __future__ import annotations

from collections.abc import Iterator

from fucai.exporter.family import CHANNEL, FEN, Sample, period_label
from fucai.exporter.question import Days, Question
from fucai.v1 import analytics_pb2 as pb

_BASE = CHANNEL.family("base_sales", "Sales of the same days one year before.", money=True, period=True)
_CHANGE = CHANNEL.family(
    "sales_change",
    "Change of the sales against the base, by outlets: new, closed, and same (sales in both); they sum to the change.",
    ("part",),
    money=True,
    period=True,
)
_EFFECT = CHANNEL.family(
    "sales_effect",
    "The same change by factors (LMDI): scale (number of outlets), intensity (bets per outlet), price (amount per "
    "bet), other (what can not stand in a logarithm); they sum to the change.",
    ("effect",),
    money=True,
    period=True,
)
_OUTLETS = CHANNEL.family(
    "change_outlets", "Outlets behind each part of the change: new, closed, same.", ("part",), period=True
)


def decompose_question() -> Question:
    """The decomposition of the whole; analytics refuses it where no base is stored."""

    def request(days: Days | None) -> pb.DecomposeRequest | None:
        return pb.DecomposeRequest(from_day=days[0], to_day=days[1]) if days else None

    families = (_BASE, _CHANGE, _EFFECT, _OUTLETS)
    return Question("decompose", "Decompose", request, families, _samples, refusable=True)


def _samples(answer: pb.DecomposeResponse) -> Iterator[Sample]:
    total = answer.total
    period = period_label(answer.pairing.from_day, answer.pairing.to_day)
    parts = {
        "new": (total.new_fen, total.new_outlets),
        "closed": (total.closed_fen, total.closed_outlets),
        "same": (total.same_fen, total.same_outlets),
    }
    effects = {
        "scale": total.scale_effect_fen,
        "intensity": total.intensity_effect_fen,
        "price": total.price_effect_fen,
        "other": total.other_effect_fen,
    }
    yield Sample(_BASE, (period,), total.base_fen / FEN)
    for part, (fen, outlets) in parts.items():
        yield Sample(_CHANGE, (part, period), fen / FEN)
        yield Sample(_OUTLETS, (part, period), outlets)
    for effect, fen in effects.items():
        yield Sample(_EFFECT, (effect, period), fen / FEN)
