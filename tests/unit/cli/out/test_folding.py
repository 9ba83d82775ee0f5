"""Long notes are folded where a reader expects it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from fucai.cli.out.folding import folded

_TEXT = st.text("渠道规模（活跃网点）：截至，。 2026-10-01…—%ab", max_size=60)


@example("0。。。。", 8)
@given(_TEXT, st.integers(8, 40))
def test_a_folded_text_says_the_same_in_lines_that_fit(text: str, width: int) -> None:
    """Only blanks go; a line that is too long is one word or one character with its signs."""
    lines = folded(text, width).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert cell_len(line) <= width or len(folded(line, 1).split("\n")) == 1


def test_chinese_is_filled_to_the_end_and_no_line_begins_with_a_comma() -> None:
    """A blank beside a number is no better place to fold than any other."""
    text = "渠道规模：最近 7 个开市日内有不少于 1 笔销售（或有日汇总），休市日不计"
    assert folded(text, 40).split("\n") == [
        "渠道规模：最近 7 个开市日内有不少于 1 笔",
        "销售（或有日汇总），休市日不计",
    ]
    assert folded("一二三四，五", 8).split("\n") == ["一二三", "四，五"]
    assert folded("closed days differ, 3 in all", 12).split("\n") == ["closed days", "differ, 3 in", "all"]
