"""Figures of answers as elements of the page: what people read, and the exact value beside it in a `data` element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from fucai.cli.numbers import MoneyUnit, growth_text, mark_notes, money_unit, percent
from fucai.cli.out.reading import change_of
from fucai.cli.out.sheet import Kind
from fucai.cli.output import Lang
from fucai.cli.query.measured import MEASURES, measure_kind
from fucai.cli.report.markup import Child, el
from fucai.cli.report.tables import plain_table
from fucai.cli.report.texts import TEXTS, pick, say
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb


@dataclass(frozen=True, slots=True)
class Figures:
    """How this page writes figures: its language, and one unit for the sums of the channel."""

    lang: Lang
    currency: str
    unit: MoneyUnit

    @classmethod
    def of(cls, found: pb.HeadlineResponse, lang: Lang) -> Figures:
        """In the unit that fits the sales of the period and of its base."""
        amounts = found.total.sales_fen, found.total.base_sales_fen
        return cls(lang, found.currency, money_unit(amounts, found.currency, lang))

    def amount(self, fen: int, unit: MoneyUnit) -> Element:
        """An amount without the name of its unit."""
        return el("data", unit.show(fen).replace("-", "−"), value=str(fen))

    def money(self, fen: int, unit: MoneyUnit) -> Element:
        """An amount with the name of its unit."""
        return el("data", f"{unit.show(fen)} {unit.name}".replace("-", "−"), value=str(fen))

    def fitting(self, *fen: int) -> MoneyUnit:
        """The unit that fits these amounts."""
        return money_unit(fen, self.currency, self.lang)

    def count(self, number: int) -> Element:
        """A number of things."""
        return el("data", f"{number:,}", value=str(number))

    def growth(self, found: pb.Growth) -> Child:
        """A growth figure with its arrow, or its mark."""
        change = change_of(found)
        if change is None:
            return say("none", self.lang)
        text = growth_text(change, self.lang).plain
        return text if change.ratio is None else el("data", text, value=repr(change.ratio))

    def quantity(self, measure: str, found: pb.Quantity, unit: MoneyUnit) -> Child:
        """A value of a measure."""
        if found.HasField("ratio"):
            return el("data", percent(found.ratio).removeprefix("+"), value=repr(found.ratio))
        if measure_kind(measure) is Kind.MONEY:
            return self.money(found.fen, unit)
        return self.count(found.count)

    def measures(self, key: str, caption: str, row: pb.GrowthRow) -> list[Element]:
        """A table with a line for each measure of a row, same outlets last, and what its marks mean."""
        named = [(one.measure, MEASURES.get(one.measure, Label(one.measure, one.measure)), one)
                 for one in row.measurements]  # fmt: skip
        named.append(("sales", TEXTS["same outlet sales"], row.same_outlet))
        head = [say(name, self.lang) for name in ("measure", "period", "base", "growth")]
        lines = [[pick(label, self.lang), *self._cells(measure, one)] for measure, label, one in named]
        marks = mark_notes((change_of(one.growth) for _, _, one in named), self.lang)
        return [plain_table(key, caption, head, lines, numbers=True), *(el("p", text, class_="note") for text in marks)]

    def _cells(self, measure: str, one: pb.Measurement) -> Sequence[Child]:
        unit = self.fitting(one.value.fen, one.base.fen)
        based = one.HasField("base") and one.growth.mark != pb.GROWTH_MARK_NO_BASE
        none = say("none", self.lang)
        return [
            self.quantity(measure, one.value, unit) if one.HasField("value") else none,
            self.quantity(measure, one.base, unit) if based else none,
            self.growth(one.growth),
        ]
