"""Drafts of the fields about the tool, who answers for it, why, and how it is used: tier 1, and 2.1, 2.2, 2.3, 2.5.

A draft takes what the card holds and adds nothing. It is None where the card does not say.
"""

from __future__ import annotations

from collections.abc import Callable

from riskmodels.cards.records.taken import Taken, each, paragraphs, sentence
from riskmodels.cards.records.technical import verdict_of
from riskmodels.cards.words import capital, listing, sentences_of

FEW_SENTENCES = 3  # field 1.2 asks for two or three
NO_THIRD_PARTY = "Not applicable, since no third party is involved."


def _title(taken: Taken) -> str | None:
    return taken.at("title")


def _organisation(taken: Taken) -> str | None:
    name = taken.at("organisation.name")
    made_up = taken.at("organisation.fictional") and "fictional" not in str(name).lower()
    return f"{name} (fictional)" if made_up else name


def _one_sentence(taken: Taken) -> str | None:
    if taken.outcome is None:
        return None
    return f"A list of {taken.many}, put in order by how likely it is that the {taken.one} {taken.outcome}."


def _description(taken: Taken) -> str | None:
    use = taken.fact("purpose.intended_use")
    return " ".join(sentences_of(use)[:FEW_SENTENCES]) if use else None


def _contact(taken: Taken) -> str | None:
    return taken.at("organisation.contact")


def _owner(taken: Taken) -> str | None:
    return taken.at("organisation.owner")


def _of_third_party(taken: Taken) -> str | None:
    """Only where a person has said that there is none, and has added nothing."""
    said = taken.at("annex.atrs_answers")
    involved = ((said or {}).get("2.1.4") or {}).get("value") or ""
    return NO_THIRD_PARTY if involved.strip().lower() in ("no", "no.") else None


def _detailed(taken: Taken) -> str | None:
    places = taken.fact("how_it_works.places")
    return paragraphs(
        taken.advice,
        verdict_of(taken),
        taken.dated(taken.words("how_it_works.words")),
        f"Places: {places}." if places else None,
        taken.fact("purpose.intended_use"),
        taken.fact("purpose.never_used_for"),
        taken.fact("ask.what_this_cannot_see"),
        "The organisation in this record is made up." if taken.at("organisation.fictional") else None,
    )


def _benefits(taken: Taken) -> str | None:
    return taken.fact("purpose.benefits")


def _previous(taken: Taken) -> str | None:
    return taken.fact("purpose.how_it_is_done_today")


def _alternatives(taken: Taken) -> str | None:
    tried = [str(row["Way of choosing"]) for row in taken.rows("performance.tables.families")]
    tried = [f"{way[:1].lower()}{way[1:]}" for way in tried]
    simple = taken.block("simple")
    return paragraphs(
        taken.fact("purpose.alternatives"),
        f"Better than a simple rule? {simple}" if simple else None,
        f"Tested side by side: {listing(tried)}." if tried else None,
    )


def _integration(taken: Taken) -> str | None:
    return taken.labelled(
        ("When somebody is on the list", "people_process.when_flagged"),
        ("When somebody is not", "people_process.when_not_flagged"),
        ("Who decides", "people_process.who_decides"),
        ("What the computer does alone", "law.automated_decisions"),
    )


def _review(taken: Taken) -> str | None:
    return taken.facts("people_process.human_check", "people_process.staff_time", "people_process.override_rate")


def _scale(taken: Taken) -> str | None:
    places, dates = taken.fact("how_it_works.places"), taken.rows("performance.tables.per_date")
    ranked = None
    if dates:
        count = dates[-1].get(capital(taken.many))
        ranked = f"On {dates[-1]['As of']}, the last test date, {count:,} {taken.many} were ranked." if count else None
    return paragraphs(f"Places: {places}." if places else None, taken.dated(ranked))


def _training(taken: Taken) -> str | None:
    return taken.fact("people_process.training")


def _appeals(taken: Taken) -> str | None:
    return taken.labelled(
        ("How a mistake is put right", "people_process.putting_mistakes_right"),
        ("How to object", "law.objection"),
    )


def _assessments(taken: Taken) -> str | None:
    said = taken.labelled(
        ("Data protection impact assessment", "law.data_protection_impact_assessment"),
        ("Equality impact assessment", "law.equality_impact_assessment"),
        ("Lawful basis", "law.lawful_basis"),
    )
    of_sources = each(taken.sources, "Data protection impact assessment")
    return paragraphs(said, *(f"Of {listing(names)}: {words}" for words, names in of_sources)) if said else None


# The six kinds of risk that the standard names, and the facts of the card that speak of each.
RISKS = (
    ("Data", ("risks.proxies",)),
    ("Use", ("risks.stigma", "risks.chilling_effect", "risks.self_fulfilling")),
    ("How well it works", ("risks.harms_if_missed",)),
    ("Results and decisions", ("risks.harms_if_wrongly_named", "risks.fairness_for_places")),
    ("The organisation", ("risks.trade_offs", "monitoring.stop_rules")),
    ("The public", ("law.objection",)),
)


def _risks(taken: Taken) -> str | None:
    named = {path for _, paths in RISKS for path in paths}
    more = [f"risks.{key}" for key in taken.at("risks.facts") or {} if f"risks.{key}" not in named]
    accepted = [
        sentence(f"{row['Check']}: {row['Why it was accepted']}") for row in taken.rows("risks.tables.accepted")
    ]
    lines = []
    for kind, paths in (*RISKS, ("Other", tuple(more))):
        said = [text for path in paths if (text := taken.fact(path))]
        if kind == "Data":
            said += [f"Accepted: {text}" for text in accepted]
        lines.append(f"{kind}: {' '.join(said)}" if said else None)
    return paragraphs(*lines) if taken.fact("risks.harms_if_missed") else None


ABOUT: dict[str, Callable[[Taken], str | None]] = {
    "0.1": _title,
    "0.2": _organisation,
    "0.5": _one_sentence,
    "1.1": _title,
    "1.2": _description,
    "1.4": _contact,
    "2.1.1": _organisation,
    "2.1.3": _owner,
    "2.1.4.1": _of_third_party,
    "2.1.4.2": _of_third_party,
    "2.1.4.3": _of_third_party,
    "2.1.4.4": _of_third_party,
    "2.1.4.5": _of_third_party,
    "2.2.1": _detailed,
    "2.2.2": _benefits,
    "2.2.3": _previous,
    "2.2.4": _alternatives,
    "2.3.1": _integration,
    "2.3.2": _review,
    "2.3.3": _scale,
    "2.3.4": _training,
    "2.3.5": _appeals,
    "2.5.1": _assessments,
    "2.5.2": _risks,
}
