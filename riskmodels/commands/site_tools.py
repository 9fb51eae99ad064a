"""A published tool as a register shows it: its versions in both editions, its status today, and what happened when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.published import CHAIN, EARLIER, NOTICE, PublishedTool
from riskmodels.commands.site_checks import refuse_unsafe_cards
from riskmodels.errors import CardError, GateError

if TYPE_CHECKING:
    from riskmodels.reports.site_shapes import Download, Event, Tool, Version

# Of every version, in both editions; the transparency record is a public one, and made once.
FORMATS = {"public": ("html", "md", "json", "atrs"), "committee": ("html", "md", "json")}
# An approval that holds is taken back in the review record: a notice alone stops no list.
HOLDS = "APPROVED"
Status = Mapping[str, Any]


@dataclass(frozen=True)
class Making:
    """A register in the making: its title, the day, and the files of its cards so far, by path."""

    title: str
    today: dt.date
    files: dict[str, bytes]


def made_tool(published: PublishedTool, making: Making) -> Tool:
    """One tool; its cards, in every edition and format, are put into ``making.files``.

    Raises
    ------
    CardError
        if its cards, put together, give away a number of few people.
    GateError
        if a card of it tells of too few people; if its notice says that it stopped, and the review record still
        approves it; if an example of a decision is all that decides on a card of a real organisation.
    """
    from riskmodels.cards.editions import public_edition
    from riskmodels.governance.notice import refuse_notice
    from riskmodels.reports.site_shapes import Tool

    folder = published.newest.path.parent
    if published.notice is not None:
        refuse_notice(published.notice, published.chain, making.today, folder / NOTICE)
    _refuse_example(published)
    statuses = [_status(published, place, making.today) for place in range(len(published.cards))]
    editions = [
        {"committee": one.card.to_dict(), "public": public_edition(one.card.to_dict(), one.sha256)}
        for one in published.cards
    ]
    named = {line.card_sha256 for line in published.chain}
    for one, pair in zip(published.cards, editions, strict=True):
        refuse_unsafe_cards(published.name, one.path, list(pair.values()), decided=one.sha256 in named)
    _refuse_given_away(published, [card for pair in editions for card in pair.values()])
    versions: list[Version] = []
    for place in range(len(published.cards)):
        change = _changes(published, place, editions, making.today)
        versions.append(_version(published, place, editions[place], change, statuses[place], making))
    events = _events(published, versions)
    return Tool(
        name=published.name,
        card=editions[-1]["public"],
        status=_status_of_tool(published, statuses),
        versions=tuple(reversed(versions)),
        events=tuple(sorted(events, key=lambda event: event.day, reverse=True)),
        notice=published.notice.model_dump(mode="json") if published.notice else None,
        withdrawn=tuple(_withdrawn(published)),
        records=tuple(line.sha256 for line in published.chain),
    )


def _version(
    published: PublishedTool,
    place: int,
    editions: Mapping[str, dict[str, Any]],
    changes: Mapping[str, dict[str, Any] | None],
    status: Status,
    making: Making,
) -> Version:
    from riskmodels.cards.renderings import RENDERINGS, Beside, render
    from riskmodels.governance.review import sign_off_rows
    from riskmodels.reports.site_shapes import Download, Version

    one, number = published.cards[place], place + 1
    replaced = one is not published.newest
    folder = f"earlier/{number}/" if replaced else ""
    signed = sign_off_rows(published.chain, one.card.model.sha256)
    downloads: list[Download] = []
    for edition, formats in FORMATS.items():
        beside = Beside(status, signed, changes[edition], making.today)
        made = render(editions[edition], [name for name in formats if name in RENDERINGS], beside)
        if edition == "committee":
            made["card.json"] = one.content  # the very bytes that a decision names
        for name, content in made.items():
            path = f"{folder}{name}"
            trail = _trail(published, number, replaced, edition, making.title)
            page = _with_way_back(name, content, trail)
            making.files[f"{published.name}/{path}"] = page
            downloads.append(Download(path, edition, len(page)))
    return Version(
        number,
        one.card.model.version,
        one.sha256,
        status,
        one.replaced_on,
        replaced,
        changes["public"],
        tuple(downloads),
    )


def _changes(
    published: PublishedTool, place: int, editions: Sequence[Mapping[str, dict[str, Any]]], today: dt.date
) -> dict[str, dict[str, Any] | None]:
    """From the version before, in each edition. A version's day is the one on which it took its predecessor's place."""
    from riskmodels.cards.change import compare_cards

    if not place:
        return dict.fromkeys(editions[0])
    since = published.cards[place - 2].replaced_on if place > 1 else None
    last = today if published.cards[place] is published.newest else published.cards[place].replaced_on
    return {
        name: dict(compare_cards(editions[place - 1][name], card, since=since, today=last).to_dict())
        for name, card in editions[place].items()
    }


def _trail(
    published: PublishedTool, number: int, replaced: bool, edition: str, register: str
) -> list[tuple[str, str | None]]:
    from riskmodels.reports.site_words import EDITIONS

    up = "../../" if replaced else ""
    above: list[tuple[str, str | None]] = [
        (register, f"{up}../index.html"),
        (published.newest.card.title, f"{up}index.html"),
    ]
    if not replaced:
        return [*above, (EDITIONS[edition], None)]
    return [*above, ("What changed when", f"{up}changes.html"), (f"Version {number}: {EDITIONS[edition]}", None)]


def _with_way_back(name: str, content: bytes, trail: list[tuple[str, str | None]]) -> bytes:
    from riskmodels.reports.site_pages import with_trail
    from riskmodels.reports.visible import visible

    return with_trail(content, visible(trail)) if name.endswith(".html") else content


# ---------------------------------------------------------------- its status, and what happened


def _status(published: PublishedTool, place: int, today: dt.date) -> Status:
    """Of one version: the notice's if there is one, or as the review record says it today."""
    from riskmodels.governance.review import status_banner

    if published.notice is not None:
        return published.notice.status()
    one = published.cards[place]
    status = status_banner(one.sha256, one.card.model.sha256, published.chain, today)
    if status["state"] == "AWAITING REVIEW" and one is not published.newest:
        words = "REPLACED. A later version took its place, and no decision names this one. Do not use it."
        return {**status, "state": "REPLACED", "words": words}
    return status


def _status_of_tool(published: PublishedTool, statuses: Sequence[Status]) -> Status:
    """The newest version's, and which earlier one may still be used while that one waits."""
    from riskmodels.reports.site_words import STAGES
    from riskmodels.reports.states import is_used

    status = statuses[-1]
    approved = [
        (place, one) for place, one in enumerate(statuses[:-1], 1) if one["state"] == HOLDS and not one["example"]
    ]
    used = [pair for pair in approved if is_used(pair[1])]
    if is_used(status) or not approved or (status["state"] == HOLDS and not used):
        return status
    place, earlier = (used or approved)[-1]
    day = dt.date.fromisoformat(earlier["until"])
    words = (
        f"{status['words']} Version {place} is still approved {STAGES[earlier['stage']]}, until {day.day} {day:%B %Y}."
    )
    return {**status, "words": words}


def _refuse_example(published: PublishedTool) -> None:
    """An example shows what a decision looks like; on a real tool it would pass for one."""
    from riskmodels.governance.review import governing

    for one in published.cards:
        organisation = one.card.organisation
        found = governing(published.chain, one.card.model.sha256, one.sha256)
        if found is not None and found.act.example and not organisation.fictional:
            raise GateError(
                f"{published.newest.path.parent / CHAIN}: record {found.seq} is an example of a decision, and "
                f"{organisation.name} is not fictional; record the real decision (riskmodels review record)"
            )


def _withdrawn(published: PublishedTool) -> Iterator[str]:
    """That other models than the newest card's were stopped: today's status does not tell."""
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.review import sign_off_rows
    from riskmodels.reports.site_words import withdrawn_sentence

    last = {line.model_sha256: line for line in published.chain}
    for model, line in last.items():
        if model != published.newest.card.model.sha256 and isinstance(line.act, Withdrawal):
            yield withdrawn_sentence(sign_off_rows(published.chain, model)[-1], _models(published))


def _models(published: PublishedTool) -> dict[int, str]:
    """The digest of each version's model."""
    return {number: one.card.model.sha256 for number, one in enumerate(published.cards, 1)}


def _refuse_given_away(published: PublishedTool, cards: Sequence[Mapping[str, Any]]) -> None:
    """Both editions of every version can be put side by side by anybody: disclosure control must hold across them."""
    from riskmodels.cards.differencing import recovered

    found = recovered(cards)
    if found:
        first = found[0]
        raise CardError(
            f"{published.newest.path.parent}: its cards give away a number of few people ({first.where}: {first.how}; "
            f"{', '.join(first.cards)}); build the newest one again, or take an earlier version out of {EARLIER}/ "
            f"(with --remove {published.name} if the register showed it)"
        )


def _events(published: PublishedTool, versions: Sequence[Version]) -> list[Event]:
    from riskmodels.governance.review import sign_off_rows
    from riskmodels.reports.site_words import decision_event, expired_event, notice_event, replaced_event

    numbers = {version.card_sha256: version.number for version in versions}
    models = dict.fromkeys(line.model_sha256 for line in published.chain)
    rows = [row for model in models for row in sign_off_rows(published.chain, model)]
    # Of one day, what was recorded last comes first, and the notice before all: sorting by day keeps this order.
    events = [decision_event(row, numbers, _models(published)) for row in sorted(rows, key=lambda row: -row["record"])]
    events += [
        expired_event(version.number, version.status, version.card_sha256)
        for version in versions
        if version.status["state"] == "EXPIRED"
    ]
    for version, after in pairwise(versions):
        if version.replaced_on is not None:
            words = tuple(after.change["words"]) if after.change else ()
            events.append(replaced_event(after.number, version.replaced_on, after.card_sha256, words))
    if published.notice is not None:
        notice = published.notice.model_dump(mode="json")
        events.insert(0, notice_event(notice, storage.sha256(storage.canonical_json(notice))))
    return events
