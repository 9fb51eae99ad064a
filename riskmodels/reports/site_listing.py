"""``register.json``: the register as data, for other programs, and for the next register that takes its place."""

from __future__ import annotations

from collections.abc import Mapping

from riskmodels import storage
from riskmodels.reports.site_shapes import Register

INDEX = "register.json"
KIND = "riskmodels public register"


def render_listing(register: Register, files: Mapping[str, bytes]) -> bytes:
    """Each tool as it stands, what was taken out, and the SHA-256 of each of ``files``, by which it knows its own."""
    listed = {
        "kind": KIND,
        "schema_version": 2,
        "title": register.title,
        "organisation": register.organisation,
        "made_on": register.today.isoformat(),
        "tools": [
            {
                "name": tool.name,
                "title": tool.card["title"],
                "question": tool.card["question"],
                "organisation": tool.card["organisation"]["name"],
                "fictional": tool.card["organisation"]["fictional"],
                "contact": tool.card["organisation"]["contact"],
                "state": tool.status["state"],
                "words": tool.status["words"],
                "until": tool.status["until"],
                "example": tool.status["example"],
                "stage": tool.status.get("stage"),
                "in_use": tool.in_use,
                "advice": tool.card["summary"]["recommendation"]["code"],
                "last_changed": tool.last_changed.isoformat() if tool.last_changed else None,
                "model_version": tool.versions[0].model_version,
                "card_sha256": tool.versions[0].card_sha256,
                "versions": len(tool.versions),
                "cards": [one.card_sha256 for one in reversed(tool.versions)],
                "records": list(tool.records),
                "notice": tool.notice["state"] if tool.notice else None,
                "page": f"{tool.name}/index.html",
            }
            for tool in register.tools
        ],
        "removed": [
            {"name": one.name, "title": one.title, "what": one.what, "on": one.on.isoformat()}
            for one in register.removed
        ],
        "files": {path: storage.sha256(files[path]) for path in sorted(files)},
    }
    return storage.canonical_json(listed)
