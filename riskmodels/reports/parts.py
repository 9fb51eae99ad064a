"""What the sections of a page are made of: parts that every rendering knows how to show.

To add a kind of part, write its function here and teach it to the renderings (``templates/macros.html``,
``markdown.py``, and ``terms.py`` if it has prose).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from riskmodels.reports.cells import label
from riskmodels.reports.glossary import GLOSSARY, explained, terms_in
from riskmodels.reports.provenance import with_provenance

Part = dict[str, Any]
# What a page says of a source of data that has nothing there.
NONE_STATED = "None stated"


@dataclass(frozen=True)
class Section:
    number: int
    title: str
    parts: tuple[Part, ...]

    @property
    def id(self) -> str:
        return f"section-{self.number}"


def heading(text: str) -> Part:
    return {"kind": "heading", "text": text}


def texts(words: Sequence[str]) -> list[Part]:
    return [{"kind": "text", "text": text} for text in words]


def bullets(items: Sequence[str]) -> list[Part]:
    return [{"kind": "list", "items": list(items)}] if items else []


def says(text: str | None) -> list[Part]:
    """One sentence at the head of a section: what it tells."""
    return [{"kind": "says", "text": text}] if text else []


def facts(section: Mapping[str, Any]) -> list[Part]:
    lines = fact_lines(section)
    return [with_provenance(lines)] if lines else []


def fact_lines(section: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"label": label(key), "value": fact["value"], "owner": fact["owner"], "source": fact["source"]}
        for key, fact in section.items()
    ]


def plain_facts(lines: Sequence[tuple[str, Any, str]]) -> Part:
    """Facts that stand in the card under other keys: label, value, source."""
    return with_provenance(plain_lines(lines))


def plain_lines(lines: Sequence[tuple[str, Any, str]]) -> list[dict[str, Any]]:
    return [{"label": name, "value": value, "owner": "", "source": source} for name, value, source in lines]


def glossary(terms: Mapping[str, str]) -> list[Part]:
    """What words mean, each with a place of its own; in prose the first use of each leads there."""
    return [heading("Words explained"), {"kind": "glossary", "terms": list(terms.items())}]


def words_explained(*terms: str) -> list[Part]:
    """These terms of the glossary, for a page that has no glossary of its own."""
    return glossary({term: GLOSSARY[term] for term in terms})


def table(content: Mapping[str, Any], *, fold: bool = False) -> Part:
    return {"kind": "table", "table": content, "fold": fold}


def records(content: Mapping[str, Any]) -> Part:
    """Rows that have too many columns for a table, one record each: a title and labelled lines.

    The first two columns make the title. What nobody stated stands together in one line at the end.
    """
    columns = content["columns"]
    made = []
    for row in content["rows"]:
        said = list(zip(columns[2:], row[2:], strict=True))
        lines = [(name, value) for name, value in said if value != NONE_STATED]
        nothing = [name for name, value in said if value == NONE_STATED]
        made.append({
            "title": (row[0], row[1]),
            "lines": [*lines, (NONE_STATED, "; ".join(nothing))] if nothing else lines,
        })  # fmt: skip
    return {"kind": "records", "records": made, "source": content["source"]}


def with_words(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections with their glossary filled: the words that they use, and those it takes to explain them."""
    made = tuple(sections)
    used = explained(terms_in("\n".join(_texts([part for section in made for part in section.parts]))))
    return tuple(
        replace(
            section,
            parts=tuple(
                {**part, "terms": list(used.items())} if part["kind"] == "glossary" else part for part in section.parts
            ),
        )
        for section in made
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
