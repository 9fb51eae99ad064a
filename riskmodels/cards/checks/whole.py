"""The card as a file, and as one of several that are published."""

from __future__ import annotations

from riskmodels.cards.card import ModelCard
from riskmodels.cards.checks.checked import Checked, Verdict, some
from riskmodels.cards.renderings import RENDERINGS, render
from riskmodels.errors import CardError
from riskmodels.reports.pdf_checks import pdf_findings
from riskmodels.storage import canonical_json

TWICE = ("html", "md", "json")


def schema(checked: Checked) -> Verdict:
    try:
        ModelCard.from_bytes(canonical_json(dict(checked.card)))
    except CardError as problem:
        return False, str(problem)
    return True, "the card has the shape of its schema"


def same_bytes(checked: Checked) -> Verdict:
    """Rendered twice in one process, every format that needs no other program gives the same bytes.

    It sees what hangs on the moment or on chance; not what hangs on the machine, the order of a hash or the package's
    version, nor the PDF and the public record's workbook.
    """
    formats = [name for name in TWICE if name in RENDERINGS]
    again = render(checked.card, formats, checked.beside)
    first = render(checked.card, formats[1:], checked.beside) | {next(iter(again)): checked.html}
    other = [name for name, content in again.items() if first[name] != content]
    return not other, (
        f"rendered twice, {some(other)} is not the same; report it to those who keep this package"
        if other
        else "rendered twice here, the card gives the same bytes; another machine and the PDF were not tried"
    )


def pdf_is_whole(checked: Checked) -> Verdict:
    """The PDF passes those points of PDF/UA-1 that can be read from it."""
    (content,) = render(checked.card, ("pdf",), checked.beside).values()
    found = pdf_findings(content)
    return not found, (
        f"the PDF {some(found, 3)}; report it to those who keep this package" if found else "the PDF passes its checks"
    )


def names_its_source(checked: Checked) -> Verdict:
    """A public edition names, by digest, the committee's card that it was made from."""
    edition = checked.card["edition_profile"]
    if edition["edition"] == "committee":
        return edition["of"] is None, "this is the committee's edition, made from no other"
    if edition["of"] is None:
        return False, "the public edition names no committee's card; make it again with --edition public"
    if checked.committee_sha256 is not None and edition["of"] != checked.committee_sha256:
        return False, "the public edition names another card than this one; make it again with --edition public"
    return True, f"the public edition names the committee's card {edition['of'][:12]}"
