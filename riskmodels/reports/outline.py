"""A card as its sixteen sections, each a list of parts that every rendering knows how to show.

``SECTIONS`` is the order of the page. To add to a section, add a part (`riskmodels.reports.parts`) to its function.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.data.register import ENDS_SOON_DAYS
from riskmodels.reports.cells import NOT_PROVIDED, day_text, label, record_lines
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.parts import (
    Part,
    Section,
    bullets,
    fact_lines,
    facts,
    glossary,
    heading,
    plain_facts,
    plain_lines,
    records,
    says,
    table,
    texts,
    with_words,
)
from riskmodels.reports.provenance import with_provenance

OUTSIDE_THE_CARD = (
    "The run's id, times, environment and MLflow run stand in run.json, not here: the same study gives the same card."
)
FORMATS = (
    "The same card is made as a web page, as a document to print (PDF), as plain text (Markdown), as data (JSON), and "
    "as a record for the UK's public list of such tools (ATRS)."
)


@dataclass(frozen=True)
class Source:
    """What a page is made from: the card, and what stands outside it."""

    card: Mapping[str, Any]
    sign_off: Sequence[Mapping[str, Any]]
    today: dt.date | None
    change: Mapping[str, Any] | None = None

    def figure(self, name: str) -> list[Part]:
        return [{"kind": "figure", "figure": figure} for figure in self.card["figures"] if figure["id"] == name]


# ---------------------------------------------------------------- the sections


def _summary(source: Source) -> list[Part]:
    return [
        {"kind": "page_one", "summary": source.card["summary"]},
        *source.figure("people_per_100"),
        *source.figure("units_per_100"),
    ]


def _ask(source: Source) -> list[Part]:
    reasons = source.card["summary"]["recommendation"]["reasons"]
    return [
        *facts(source.card["ask"]["facts"]),
        heading("Why we advise this"),
        *bullets(reasons),
        heading("What changed since last time"),
        *_change(source.change),
    ]


def _change(change: Mapping[str, Any] | None) -> list[Part]:
    """In words first; `riskmodels.cards.change` says what a change holds."""
    if change is None:
        return texts(["This card was not compared with an earlier one."])
    return [
        *texts(change["words"]),
        *bullets(change["substantive"]),
        *(table(content, fold=True) for content in change["tables"].values()),
    ]


def _purpose(source: Source) -> list[Part]:
    organisation = source.card["organisation"]
    about = plain_lines(
        [
            ("Question", source.card["question"], "study.yaml: question"),
            ("Organisation", organisation["name"], "answers.yaml: organisation"),
            (
                "Made up",
                "Yes. This organisation does not exist." if organisation["fictional"] else "No.",
                "answers.yaml: fictional",
            ),
            ("Answers for it", organisation["owner"], "answers.yaml: owner_role"),
            (
                "Contact",
                organisation["contact"] or NOT_PROVIDED.format(owner=organisation["owner"]),
                "answers.yaml: contact",
            ),
        ]
    )
    return [with_provenance([*about, *fact_lines(source.card["purpose"]["facts"])])]


def _people(source: Source) -> list[Part]:
    places = source.card["how_it_works"]["facts"]["places"]
    return facts({"places": places, **source.card["people_process"]["facts"]})


def _data(source: Source) -> list[Part]:
    data = source.card["data"]
    more = dict(data.get("tables") or {})

    def also(*names: str, fold: bool = False) -> list[Part]:
        return [table(more.pop(name), fold=fold) for name in names if name in more]

    return [
        *texts(data["words"]),
        *texts(_expired(source)),
        heading("Who is counted"),
        *source.figure("attrition"),
        table(data["attrition"], fold=True),
        *also("attrition_differences", fold=True),
        heading("What became of them"),
        table(data["outcome_status"]),
        *source.figure("unknown_by_fifth"),
        *also("enough", fold=True),
        heading("How good the data are"),
        table(data["quality"]),
        table(data["missing"], fold=True),
        *also("missing_by_group", fold=True),
        *also("links"),
        *also("linkage", fold=True),
        *also("breaks"),
        heading("Data register"),
        records(data["register"]),
        table(data["columns"], fold=True),
        *(table(content) for content in more.values()),
    ]


def _expired(source: Source) -> list[str]:
    """Agreements that are over, or soon will be, on the day the page is made."""
    register = source.card["data"]["register"]
    if source.today is None or "Agreement expires" not in register["columns"]:
        return []
    position = register["columns"].index("Agreement expires")
    found = []
    for row in register["rows"]:
        try:
            left = (dt.date.fromisoformat(str(row[position])) - source.today).days
        except ValueError:
            continue
        if left < 0:
            ended = f"EXPIRED: the agreement for {row[0]} ended on {day_text(row[position])}."
            found.append(f"{ended} Do not use these data until it is renewed.")
        elif left <= ENDS_SOON_DAYS:
            found.append(f"The agreement for {row[0]} ends on {day_text(row[position])}. Renew it before then.")
    return found


def _how(source: Source) -> list[Part]:
    how = source.card["how_it_works"]
    return [*texts(how["words"]), *facts(how["facts"]), *source.figure("drivers"), table(how["features"])]


def _performance(source: Source) -> list[Part]:
    performance = source.card["performance"]
    tables = dict(performance["tables"])
    return [
        *texts(performance["words"]),
        table(tables.pop("list")),
        *source.figure("missed_per_100"),
        *source.figure("missed_units_per_100"),
        table(tables.pop("families")),
        *source.figure("calibration"),
        *source.figure("net_benefit"),
        *(part for closer in performance.get("closer") or () for part in _closer(source, closer)),
        heading("Each test date, and measures for specialists"),
        table(tables.pop("per_date")),
        *(table(content, fold=True) for content in tables.values()),
    ]


# Pictures of a closer look that its part of the card does not name.
ALSO_DRAWN = {"over_time": ("risk_over_time",), "deep": ("stability",)}


def _closer(source: Source, closer: Mapping[str, Any]) -> list[Part]:
    return [
        heading(closer["heading"]),
        *texts(closer["words"]),
        *bullets(closer["items"]),
        *(part for name in (*closer["figures"], *ALSO_DRAWN.get(closer["id"], ())) for part in source.figure(name)),
        *(table(content, fold=True) for content in closer["tables"].values()),
    ]


def _audit(source: Source) -> list[Part]:
    audit = source.card["audit"]
    tables = dict(audit["tables"])
    said = [str(line) for line in audit.get("in_words") or []]
    # The figure has every comparison too, so only a table with a FAIL need stand open.
    verdicts, risks = tables.pop("verdicts"), tables.pop("risks")
    answers, closer = _first_of(audit.get("closer") or (), "to_be_answered")
    few, closer = _first_of(closer, "too_few")
    return [
        {"kind": "verdict", "verdict": audit["verdict"]},
        *texts(audit["words"]),
        *(part for one in answers for part in _closer(source, one)),
        *source.figure("group_ratios"),
        table(verdicts, fold=not _any_fail(verdicts)),
        *_if_any(tables.pop("others")),
        *_if_any(risks, fold=not _any_fail(risks)),
        *source.figure("groups"),
        *(part for one in few for part in _closer(source, one)),
        heading("Who is on the list, and what was not audited"),
        table(tables.pop("composition")),
        # That nothing was left out is said; other tables without rows say nothing.
        table(tables.pop("not_audited")),
        *_if_any(tables.pop("also_features")),
        *_if_any(tables.pop("look_here")),
        *(part for one in closer for part in _closer(source, one)),
        heading("Every comparison and every group"),
        *([{"kind": "list", "items": said, "fold": "Each comparison in words"}] if said else []),
        *(table(content, fold=True) for content in tables.values()),
    ]


def _any_fail(content: Mapping[str, Any]) -> bool:
    return any("FAIL" in row for row in content["rows"])


def _if_any(content: Mapping[str, Any], *, fold: bool = False) -> list[Part]:
    return [table(content, fold=fold)] if content["rows"] else []


def _first_of(
    closer: Sequence[Mapping[str, Any]], name: str
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    return [one for one in closer if one["id"] == name], [one for one in closer if one["id"] != name]


def _explanation(source: Source) -> list[Part]:
    explanation = source.card["explanation"]
    return [
        *texts(explanation["words"]),
        *texts([f"Method: {explanation['method']}"]),
        table(explanation["drivers"], fold=True),
        table(explanation["kinds"]),
    ]


def _answers(key: str) -> Callable[[Source], list[Part]]:
    def parts(source: Source) -> list[Part]:
        section = source.card[key]
        return [*facts(section["facts"]), *(table(content) for content in section["tables"].values())]

    return parts


def _questions(source: Source) -> list[Part]:
    return [{"kind": "questions", "questions": source.card["questions"]}]


def _sign_off(source: Source) -> list[Part]:
    if not source.sign_off:
        return texts(["No decision is recorded for this card. It may not be used until one is."])
    return [
        {"kind": "record", "title": f"Record {number}", "lines": record_lines(dict(record))}
        for number, record in enumerate(source.sign_off, 1)
    ]


def _annex(source: Source) -> list[Part]:
    card, annex = source.card, source.card["annex"]
    edition = card["edition_profile"]
    identity = [
        ("Edition", f"{label(edition['edition'])} edition", ""),
        ("Rules for small numbers", edition["disclosure"], ""),
        ("Model version", card["model"]["version"], ""),
        ("Model SHA-256", card["model"]["sha256"], ""),
        *((f"{label(name)} SHA-256", digest, "") for name, digest in card["digests"].items()),
        *([("Made from the card of SHA-256", edition["of"], "")] if edition.get("of") else []),
    ]
    missing = {
        "caption": "What was not computed", "columns": ["What", "Why"], "source": "run", "note": None,
        "rows": [list(item) for item in card["not_computed"].items()],
    }  # fmt: skip
    return [
        plain_facts(identity),
        *texts([OUTSIDE_THE_CARD]),
        table(annex["checks"]),
        table(annex["splits"]),
        table(annex["parameters"], fold=True),
        table(missing, fold=True),
        table(annex["suppressed"], fold=True),
        table(annex["tripod"], fold=True),
        *_said_of_items(annex),
    ]


def _said_of_items(annex: Mapping[str, Any]) -> list[Part]:
    """What people say for the items of TRIPOD+AI, each under its number and what it is about."""
    about = {row[0]: f"{row[0]}: {row[1]}" for row in annex["tripod"]["rows"]}
    lines = fact_lines(annex.get("tripod_answers") or {})
    if not lines:
        return []
    named = [{**line, "label": about.get(line["label"], line["label"])} for line in lines]
    return [heading("What people say for TRIPOD+AI"), with_provenance(named)]


def _indexes(source: Source) -> list[Part]:
    contact = source.card["organisation"]["contact"] or source.card["organisation"]["owner"]
    return [
        table(source.card["annex"]["atrs"], fold=True),
        *glossary({}),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
        heading("Other formats"),
        *texts([FORMATS, f"To get another format, or to say that something is wrong with this card, ask: {contact}."]),
    ]


SECTIONS: dict[int, tuple[str, Callable[[Source], list[Part]]]] = {
    1: ("Summary", _summary),
    2: ("What we ask you to decide", _ask),
    3: ("Purpose", _purpose),
    4: ("People and process", _people),
    5: ("Data", _data),
    6: ("How it works", _how),
    7: ("How well it works", _performance),
    8: ("Fairness audit", _audit),
    9: ("Explanations", _explanation),
    10: ("Risks, harms and trade-offs", _answers("risks")),
    11: ("Law and assessments", _answers("law")),
    12: ("Monitoring, stop rules and retirement", _answers("monitoring")),
    13: ("The twenty questions", _questions),
    14: ("Sign-off", _sign_off),
    15: ("Technical annex", _annex),
    16: ("Transparency record, glossary and formats", _indexes),
}
# What a section tells, at its head. Page one begins with the advice itself.
SAYS = {
    2: "The question for you, why we advise what we do, and what is new.",
    3: "What the list is for, what it is never for, and which other ways were thought of.",
    4: "What happens to those on the list and off it, and who decides.",
    5: "Which records are used, how good they are, and whom they leave out.",
    6: "What the model looks at, and how that becomes a list.",
    7: "How often the list is right, whom it misses, and whether a simpler way does as well.",
    8: "Whether any group is treated worse, and how sure we can be.",
    9: "How a worker, or somebody on the list, can learn why.",
    10: "What could go wrong, and for whom.",
    11: "Which law allows it, and what was assessed first.",
    12: "Who keeps watch, what stops it, and how it ends.",
    13: "The questions that committees ask, each with a short answer and where to read more.",
    14: "Who advised what, and who decided.",
    15: "For specialists: how it was made and checked, and what is not shown.",
    16: "The index of the public record, what the words mean, and how else to get this card.",
}


def outline(
    card: Mapping[str, Any],
    sign_off: Sequence[Mapping[str, Any]] = (),
    today: dt.date | None = None,
    change: Mapping[str, Any] | None = None,
) -> tuple[Section, ...]:
    """The sections of a card, in order. ``change``: from an earlier card to this one, as plain values."""
    source = Source(card, sign_off, today, change)
    return with_words(
        Section(number, title, (*says(SAYS.get(number)), *parts(source))) for number, (title, parts) in SECTIONS.items()
    )
