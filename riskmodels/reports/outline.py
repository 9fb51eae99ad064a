"""A card as its sixteen sections, each a list of parts that every rendering knows how to show.

``SECTIONS`` is the order of the page. To add to a section, add a part to its function; to add a kind of part, teach it
to the two renderings (``templates/macros.html`` and ``markdown.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.data.register import ENDS_SOON_DAYS
from riskmodels.reports.cells import label, record_lines
from riskmodels.reports.glossary import ACCESSIBILITY, GLOSSARY

Part = dict[str, Any]
OUTSIDE_THE_CARD = (
    "The run's id, times, environment and MLflow run stand in run.json, not here: the same study gives the same card."
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


@dataclass(frozen=True)
class Section:
    number: int
    title: str
    parts: tuple[Part, ...]

    @property
    def id(self) -> str:
        return f"section-{self.number}"


# ---------------------------------------------------------------- parts


def heading(text: str) -> Part:
    return {"kind": "heading", "text": text}


def texts(words: Sequence[str]) -> list[Part]:
    return [{"kind": "text", "text": text} for text in words]


def bullets(items: Sequence[str]) -> list[Part]:
    return [{"kind": "list", "items": list(items)}] if items else []


def facts(section: Mapping[str, Any]) -> list[Part]:
    lines = [
        {"label": label(key), "value": fact["value"], "owner": fact["owner"], "source": fact["source"]}
        for key, fact in section.items()
    ]
    return [{"kind": "facts", "facts": lines}] if lines else []


def plain_facts(lines: Sequence[tuple[str, Any, str]]) -> Part:
    """Facts that stand in the card under other keys: label, value, source."""
    return {
        "kind": "facts",
        "facts": [{"label": name, "value": value, "owner": "", "source": source} for name, value, source in lines],
    }


def table(content: Mapping[str, Any], *, fold: bool = False) -> Part:
    return {"kind": "table", "table": content, "fold": fold}


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
    about = plain_facts(
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
                organisation["contact"] or f"Not provided (owner: {organisation['owner']})",
                "answers.yaml: contact",
            ),
        ]
    )
    return [about, *facts(source.card["purpose"]["facts"])]


def _people(source: Source) -> list[Part]:
    places = source.card["how_it_works"]["facts"]["places"]
    return [*facts({"places": places}), *facts(source.card["people_process"]["facts"])]


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
        {"kind": "records", "table": data["register"]},
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
            ended = f"EXPIRED: the agreement for {row[0]} ended on {row[position]}."
            found.append(f"{ended} Do not use these data until it is renewed.")
        elif left <= ENDS_SOON_DAYS:
            found.append(f"The agreement for {row[0]} ends on {row[position]}. Renew it before then.")
    return found


def _how(source: Source) -> list[Part]:
    how = source.card["how_it_works"]
    return [*texts(how["words"]), *facts(how["facts"]), *source.figure("drivers"), table(how["features"])]


def _performance(source: Source) -> list[Part]:
    performance = source.card["performance"]
    tables = performance["tables"]
    return [
        *texts(performance["words"]),
        table(tables["list"]),
        table(tables["families"]),
        *source.figure("calibration"),
        *source.figure("net_benefit"),
        *(part for closer in performance.get("closer") or () for part in _closer(source, closer)),
        heading("Each test date, and measures for specialists"),
        table(tables["per_date"]),
        table(tables["measures"], fold=True),
    ]


def _closer(source: Source, closer: Mapping[str, Any]) -> list[Part]:
    return [
        heading(closer["heading"]),
        *texts(closer["words"]),
        *bullets(closer["items"]),
        *(part for name in closer["figures"] for part in source.figure(name)),
        *(table(content, fold=True) for content in closer["tables"].values()),
    ]


def _audit(source: Source) -> list[Part]:
    audit = source.card["audit"]
    tables = dict(audit["tables"])
    said = [str(line) for line in audit.get("in_words") or []]
    unfair_risks = any("FAIL" in row for row in tables["risks"]["rows"])
    answers, closer = _first_of(audit.get("closer") or (), "to_be_answered")
    few, closer = _first_of(closer, "too_few")
    return [
        {"kind": "verdict", "verdict": audit["verdict"]},
        *texts(audit["words"]),
        *(part for one in answers for part in _closer(source, one)),
        *source.figure("group_ratios"),
        table(tables.pop("verdicts")),
        *_if_any(tables.pop("others")),
        *_if_any(tables.pop("risks"), fold=not unfair_risks),
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
        ("Edition", f"{edition['edition']}, disclosure profile {edition['disclosure']}", ""),
        ("Model version", card["model"]["version"], ""),
        ("Model SHA-256", card["model"]["sha256"], ""),
        *((f"{label(name)} SHA-256", digest, "") for name, digest in card["digests"].items()),
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
    ]


def _indexes(source: Source) -> list[Part]:
    contact = source.card["organisation"]["contact"] or source.card["organisation"]["owner"]
    return [
        table(source.card["annex"]["atrs"], fold=True),
        heading("Glossary"),
        plain_facts([(term, words, "") for term, words in GLOSSARY.items()]),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
        *texts([f"To get this card in another format, or to say that something is wrong with it, ask: {contact}."]),
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


def outline(
    card: Mapping[str, Any],
    sign_off: Sequence[Mapping[str, Any]] = (),
    today: dt.date | None = None,
    change: Mapping[str, Any] | None = None,
) -> tuple[Section, ...]:
    """The sections of a card, in order. ``change``: from an earlier card to this one, as plain values."""
    source = Source(card, sign_off, today, change)
    return tuple(Section(number, title, tuple(parts(source))) for number, (title, parts) in SECTIONS.items())
