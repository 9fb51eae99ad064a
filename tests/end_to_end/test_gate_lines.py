"""The gate as it is printed: first what has to be done, each thing once, then what holds."""

from __future__ import annotations

from riskmodels.cli.gate_lines import gate_lines

HOLDS = [{"rule": "files", "holds": True, "words": "they are whole"}, {"rule": "card", "holds": True, "words": "it is"}]
SAME = "no review decides on this model; put its card to the committee"
SHUT = [
    {"rule": "reviewed", "holds": False, "words": SAME},
    {"rule": "champion", "holds": False, "words": "no model is champion; promote this one"},
    {"rule": "approved", "holds": False, "words": SAME},
]


def test_what_has_to_be_done_comes_first_and_once() -> None:
    assert gate_lines("reading_help/1", "score", [HOLDS[0], *SHUT, HOLDS[1]]) == [
        "reading_help/1: the gate to score is SHUT: 3 of 5 rules do not hold",
        "",
        "What to do",
        f"  NO   {SAME}",
        "       (reviewed, approved)",
        "  NO   no model is champion; promote this one",
        "       (champion)",
        "",
        "What holds",
        "  yes  files  they are whole",
        "  yes  card   it is",
    ]


def test_one_rule_does_not_hold_and_two_do_not() -> None:
    assert gate_lines("reading_help/1", "score", [*HOLDS, SHUT[1]])[0].endswith("1 of 3 rules does not hold")


def test_an_open_gate_has_nothing_to_do() -> None:
    lines = gate_lines("reading_help/1", "promote", HOLDS)
    assert lines[0] == "reading_help/1: the gate to promote is open: all 2 rules hold"
    assert "What to do" not in lines


def test_a_shut_gate_where_nothing_holds() -> None:
    assert "What holds" not in gate_lines("reading_help/1", "score", SHUT)


def test_long_words_keep_the_width_and_commands_stay_whole() -> None:
    words = "have it reviewed again, or put it back; " * 6 + "then `riskmodels review met MODEL --condition 1`"
    lines = gate_lines("reading_help/1", "score", [{"rule": "late", "holds": False, "words": words}, *HOLDS])
    assert all(len(line) <= 120 for line in lines)
    assert "--condition" in " ".join(lines)
