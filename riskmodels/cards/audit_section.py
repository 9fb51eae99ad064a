"""Section 8 of the card: the verdict in sentences, harm first, and all that stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.counted import unknown_in_words, unknown_on_list
from riskmodels.assessment.audit.risk_words import risks_in_words
from riskmodels.assessment.audit.verdicts import FAIL
from riskmodels.assessment.audit.words import failures, in_words, is_small
from riskmodels.cards.audit_closer import Audited, closer_audit
from riskmodels.cards.audit_notes import limit_words, together_words
from riskmodels.cards.audit_tables import Named, audit_tables
from riskmodels.cards.card import AuditSection
from riskmodels.cards.words import Language, attribute_words, listing
from riskmodels.study import Study

Row = Mapping[str, Any]
NO_SECTION_OF_ITS_OWN = ("words", "tables", "closer")


def as_the_card_says_it(audit: Row, study: Study, language: Language) -> dict[str, Any]:
    """A published audit in the words of its study, and its comparisons counted.

    ``tally`` is ``judged``, with how many were left ``cannot_tell`` and ``real_but_small``, and ``not_audited``.
    """
    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    small = sum(is_small(row) for row in primary)
    tally = {
        **audit["judged"],
        "real_but_small": small,
        "cannot_tell": audit["judged"]["insufficient"] - small,
        "not_audited": len(audit.get("not_audited") or ()),
    }
    titles = {row["attribute"]: attribute_words(study.file, row["attribute"]) for row in audit["contrasts"]}
    said = in_words(
        audit["rows"], audit["contrasts"], titles, purpose=audit["purpose"], measures=audit["outcome_measures"],
        noun=language.many, judged=audit["judged"], provisional=False, who=language.that,
    )  # fmt: skip
    # The first sentence is of the whole, which the section says in words of its own.
    return {**audit, "tally": tally, "in_words": list(said[1:])}


def build_audit(study: Study, audit: Row, language: Language) -> AuditSection:
    """Section 8.

    Parameters
    ----------
    audit : from `as_the_card_says_it`
    """
    return AuditSection(
        words=audit_words(audit, study, language),
        tables=audit_tables(study, audit, language),
        closer=closer_audit(Audited(audit, Named(study, language))),
        **{key: value for key, value in audit.items() if key not in NO_SECTION_OF_ITS_OWN},
    )


def audit_words(audit: Row, study: Study, language: Language) -> tuple[str, ...]:
    """How many passed, failed and could not be told; of whom this is known; each harm; what casts doubt on the rest."""
    words = [counted_words(audit["tally"])]
    if limit := limit_words(audit, [row for row in audit["contrasts"] if row["family"] != "exploratory"], language):
        words.append(limit)
    words += _against_others(audit)
    if unknown := unknown_in_words(unknown_on_list(audit["rows"])):
        words.append(unknown)
    words += risks_in_words(audit["contrasts"])
    if audit.get("provisional"):
        words.append(
            "Every verdict is provisional: the outcome is contact with a service, or a service's decision. It is not "
            "need itself."
        )
    words += [line for line in audit["in_words"] if "FAIL:" in line]
    words += together_words(audit, study, language)
    after = audit.get("after_exclusions")
    if after and after["verdict"] == FAIL:
        failed = after["judged"]["failed"] + after["judged"].get("failed_against_others", 0)
        words.append(f"On the list that the service would use, comparisons that fail: {failed}.")
    flagged = [row for row in audit.get("proxies") or [] if row.get("flagged")]
    if flagged:
        words.append(f"The score or its fields give away {_named(flagged, study)}: they may act as a stand-in.")
    if audit.get("widened"):
        names = listing([str(name) for name in audit["widened"]])
        words.append(f"The fairness policy was made more lenient than the default: {names}.")
    return tuple(dict.fromkeys(words))


def counted_words(tally: Mapping[str, int]) -> str:
    said = f"Of {tally['comparisons']} comparisons, {tally['passed']} passed and {tally['failed']} failed."
    if tally["cannot_tell"]:
        said += f" For {tally['cannot_tell']} the data cannot tell whether there is a gap large enough to matter."
    if tally["real_but_small"]:
        said += f" In {tally['real_but_small']} the gap is real, but within what the fairness policy allows."
    return said


def _against_others(audit: Row) -> list[str]:
    second = [row for row in audit["contrasts"] if row["family"] == "second"]
    if not second:
        return []
    failed = audit["tally"].get("failed_against_others", 0)
    # What fails against a reference too is said there.
    more = sum(row["family"] == "second" for row in failures(audit["contrasts"]))
    new = f", of which {more} did not fail above" if failed and more != failed else ""
    return [f"Against everybody else, {failed or 'none'} of {len(second)} comparisons failed{new}."]


def _named(rows: Sequence[Row], study: Study) -> str:
    return listing(list(dict.fromkeys(attribute_words(study.file, row["attribute"]) for row in rows)))
