"""Where facts come from and who answers for them, said once where it is the same for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Line = dict[str, Any]


def with_provenance(lines: Sequence[Line]) -> dict[str, Any]:
    """Facts as a part of a page: each line gets ``from``, its own small print, and the part a ``note`` for all.

    Parameters
    ----------
    lines : {label, value, owner, source}; a source is a file and a key in it ("answers.yaml: purpose.cost"), or empty
    """
    owners = list(dict.fromkeys(line["owner"] for line in lines if line["owner"]))
    if len(lines) < 2 or not any(line["source"] for line in lines):
        return {"kind": "facts", "facts": [{**line, "from": _alone(line)} for line in lines], "note": ""}
    note = f"Source: {sources_in_words([line['source'] for line in lines if line['source']])}."
    if len(owners) == 1:
        note += f" Owner: {owners[0]}."
    shown = [
        # A gap names its owner already.
        {
            **line,
            "from": f"Owner: {line['owner']}"
            if len(owners) > 1 and line["owner"] and line["value"] is not None
            else "",
        }
        for line in lines
    ]
    return {"kind": "facts", "facts": shown, "note": note}


def _alone(line: Line) -> str:
    owner = f"Owner: {line['owner']}. " if line["owner"] and line["value"] is not None else ""
    return f"{owner}Source: {line['source']}" if line["source"] else ""


def sources_in_words(sources: Sequence[str]) -> str:
    """The sources file by file; keys of one part of a file by the name of the part.

    ["answers.yaml: risks.a", "answers.yaml: risks.b", "study.yaml: seed"] -> "answers.yaml: risks; study.yaml: seed"
    """
    files: dict[str, list[str]] = {}
    for source in sources:
        name, _, key = source.partition(": ")
        part = key.partition(".")[0]
        keys = files.setdefault(name, [])
        if part and part not in keys:
            keys.append(part)
    return "; ".join(f"{name}: {', '.join(keys)}" if keys else name for name, keys in files.items())
