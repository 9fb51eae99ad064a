"""A study's record: one line for each act, each sealed and tied to the line before.

Each line of the chain carries the digest of the line before it, and a small head file beside it holds the length and
the last digest, so an edit, a deletion, a reordering and a cut are all noticed by `read_chain`. Each names its study
under the seal, so a record that is copied to another name is no record there. This shows tampering; it does not prevent
it: whoever may write the whole folder can rebuild it, so keep a copy, or the newest seal, where they cannot.

A line counts from its last byte on. One that a crash cut short was never acknowledged, which the head shows: it counts
for nothing, and the next writer puts it aside (``<study>.jsonl.unfinished``). A line that was acknowledged and is cut
short is a broken record.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from riskmodels import storage
from riskmodels.errors import GateError, OutsideError
from riskmodels.governance.acts import ACTS, Act

FIRST = "0" * 64
MOST_BYTES = 256_000_000  # of a record; a line is seldom more than a few thousand


@dataclass(frozen=True)
class Record:
    """One line of the chain. ``previous`` is the ``sha256`` of the line before; ``sha256`` seals this one."""

    seq: int
    previous: str
    recorded_on: dt.date
    act: Act
    model_sha256: str
    card_sha256: str
    data_sha256: str
    policy_sha256: str
    sha256: str


@dataclass(frozen=True)
class Digests:
    """Which model, card, data and policy an act is about; empty where it is about none."""

    model: str = ""
    card: str = ""
    data: str = ""
    policy: str = ""


def read_chain(path: Path, study: str | None = None) -> list[Record]:
    """Every record of a study, first to last, each one verified. A study without a record has an empty chain.

    Parameters
    ----------
    study : whose record it has to be; the one that the file is named after unless given

    Raises
    ------
    GateError
        naming the line that was edited, moved or cut, or is of another study, or saying that lines are missing at the
        end.
    """
    path = Path(path)
    while True:
        head = _read_head(path)  # before the lines: a writer moves the head last
        try:
            return _read_lines(path, head, study or path.stem)
        except GateError:
            # Unless somebody wrote in between, so that the lines are newer than the head by more than one.
            if _read_head(path) == head:
                raise


def unfinished_line(path: Path) -> str | None:
    """In words, that a line is unfinished after all that count: somebody is writing it, or was stopped while they did.

    Raises
    ------
    GateError
        if the record is broken.
    """
    chain = read_chain(path)
    if not Path(path).exists() or not _bytes(path).rpartition(b"\n")[2]:
        return None
    return (
        f"line {len(chain) + 1} of {path} is unfinished: whoever was recording it was stopped, and it counts for "
        "nothing; the next act to be recorded puts it aside"
    )


@dataclass
class Writer:
    """The only pen: made by `writing`, which holds the record's lock as long as it is in use."""

    path: Path
    today: dt.date
    chain: list[Record]

    def append(self, act: Act, digests: Digests) -> Record:
        """Add one line, have it on the disk and read it back.

        Raises
        ------
        OutsideError
            if the disk refuses; nothing was then recorded, unless it says that the line stands.
        """
        previous, number = self.chain[-1].sha256 if self.chain else FIRST, len(self.chain) + 1
        body = {
            "study": self.path.stem,
            "seq": number,
            "previous": previous,
            "recorded_on": self.today.isoformat(),
            "act": act.model_dump(mode="json"),
            "digests": {"model": digests.model, "card": digests.card, "data": digests.data, "policy": digests.policy},
        }
        seal = storage.sha256(_line(body))
        for kept in (_head_path(self.path), _aside_path(self.path)):
            storage.sweep_beside(kept)
        # The first time, so that a missing head is a deleted one; later, to catch up after an interruption.
        storage.write_whole(_head_path(self.path), _head(len(self.chain), previous))
        _put_aside(self.path)
        with storage.laid_beside(_head_path(self.path), _head(number, seal)) as move_head:
            storage.append_line(self.path, _line({**body, "sha256": seal}).decode())
            chain = read_chain(self.path)  # nobody is told before it reads back
            if len(chain) != number or chain[-1].sha256 != seal:
                raise OutsideError(f"{self.path}: the disk did not take record {number} whole; nothing was recorded")
            try:
                move_head()
            except OSError as reason:
                raise OutsideError(
                    f"{_head_path(self.path)}: cannot be written ({reason.strerror}), but record {number} stands "
                    f"({act.kind}); mend that before anything else is recorded"
                ) from None
        self.chain.append(chain[-1])
        return chain[-1]


@contextmanager
def writing(path: Path, today: dt.date, *, follows: int | None = None, at_any_day: bool = False) -> Iterator[Writer]:
    """Hold the record while something is decided from it and written to it: one writer at a time, across processes.

    Parameters
    ----------
    follows : how many lines the caller has read and judged by; more by now means that somebody else was first
    at_any_day : also on a day before the last one on record, whose day is then written. For a withdrawal alone: one
        line of a day to come, by a mistyped date or a wrong clock, must not keep a harmful model in use

    Raises
    ------
    GateError
        if the chain is broken, the day is before its last one, or it has grown since the caller looked.
    OutsideError
        if the disk refuses.
    """
    path = Path(path)
    with storage.locked(path):
        chain = read_chain(path)
        if at_any_day:
            today = max([today, *(line.recorded_on for line in chain)])
        refuse_set_back(chain, today)
        if follows is not None and len(chain) != follows:
            other = chain[-1].act if chain else None
            by = getattr(other, "by_role", None) or getattr(other, "owner_role", None) or "somebody else"
            raise GateError(
                f"meanwhile {by} recorded a {getattr(other, 'kind', 'change')} (record {len(chain)}); nothing was "
                "changed: look at `riskmodels models`, then decide again"
            )
        yield Writer(path, today, chain)


@contextmanager
def kept_still(path: Path) -> Iterator[None]:
    """Hold a record as it is while something is done that it has to allow: whoever would write to it waits."""
    with storage.locked(Path(path), shared=True):
        yield


def refuse_set_back(chain: Sequence[Record], today: dt.date) -> None:
    """Raises GateError if today is before the day of the last record."""
    if chain and today < chain[-1].recorded_on:
        raise GateError(
            f"today is {today}, but the record was last written on {chain[-1].recorded_on}; correct the clock"
        )


def _bytes(path: Path) -> bytes:
    """A file of the record. A link would have another record obeyed, and so would one on which its folder stands."""
    if path.parent.is_symlink():
        raise GateError(f"{path.parent}: is a link; put the folder of the review records itself there")
    return storage.read_plain_file(path, MOST_BYTES, GateError)


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _read_lines(path: Path, head: dict[str, Any] | None, study: str) -> list[Record]:
    """The records, held to a head and to their study. Raises GateError."""
    lines = _bytes(path).split(b"\n") if os.path.lexists(path) else [b""]
    unfinished = lines.pop()
    chain: list[Record] = []
    for number, line in enumerate(lines, 1):
        chain.append(_read_line(path, study, number, line, chain[-1].sha256 if chain else FIRST))
    if unfinished and (head is None or head["seq"] != len(chain)):  # the writer moves the head up to here before
        raise _broken(path, len(chain) + 1, "is cut short")
    _compare_with_head(path, chain, head)
    return chain


def _put_aside(path: Path) -> None:
    """Take off what stands after the last line without an end. The lock is held, and the head says it is not one."""
    content = _bytes(path) if os.path.lexists(path) else b""
    whole, end, unfinished = content.rpartition(b"\n")
    if unfinished:
        storage.write_whole(_aside_path(path), unfinished)
        storage.cut_to(path, len(whole + end))


def _read_line(path: Path, study: str, number: int, line: bytes, previous: str) -> Record:
    try:
        body = json.loads(line)
        seal = body.pop("sha256")
        # The bytes are compared too, so that there is one way only to write a record.
        intact = storage.sha256(_line(body)) == seal and _line({**body, "sha256": seal}) == line
        if not intact:
            raise _broken(path, number, "was edited")
        if body["study"] != study:
            raise _broken(path, number, f"is of the study {str(body['study'])[:80]!a}, not of {study}")
        if body["seq"] != number or body["previous"] != previous:
            raise _broken(path, number, "does not follow the line before it (lines were moved or taken out)")
        digests = {f"{name}_sha256": digest for name, digest in body["digests"].items()}
        recorded_on = dt.date.fromisoformat(body["recorded_on"])
        said = body["act"]
        act = ACTS[said["kind"]].model_validate(said)
        return Record(number, previous, recorded_on, act, **digests, sha256=seal)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        raise _broken(path, number, "is not a review record") from None


def _broken(path: Path, number: int, what: str) -> GateError:
    return GateError(
        f"{path}, line {number}: {what}; restore the review record from a copy: nothing is scored until then"
    )


def _head_path(path: Path) -> Path:
    return path.with_suffix(".head")


def _aside_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.unfinished")


def _read_head(path: Path) -> dict[str, Any] | None:
    if not os.path.lexists(_head_path(path)):
        return None
    content = _bytes(_head_path(path))
    try:
        said = json.loads(content)
        head = {"seq": said["seq"], "sha256": said["sha256"]}
        # The bytes are compared too, so that there is one way only to write a head.
        sound = isinstance(head["seq"], int) and head["seq"] >= 0 and isinstance(head["sha256"], str)
        sound = sound and storage.canonical_json(head) == content
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise GateError(f"{_head_path(path)}: is not the head of a review record; restore it from a copy")
    return head


def _head(seq: int, seal: str) -> bytes:
    return storage.canonical_json({"seq": seq, "sha256": seal})


def _compare_with_head(path: Path, chain: list[Record], head: dict[str, Any] | None) -> None:
    """The chain ends where the head says, or one line later if the writer was stopped between the two writes."""
    if head is None:
        if chain:
            raise GateError(f"{_head_path(path)}: is missing, so a cut could not be seen; restore it from a copy")
        return
    if head["seq"] > len(chain):
        raise _broken(path, len(chain) + 1, f"is missing ({head['seq']} were recorded)")
    at_head = chain[head["seq"] - 1].sha256 if head["seq"] else FIRST
    if len(chain) - head["seq"] > 1 or at_head != head["sha256"]:
        raise _broken(path, len(chain), "does not agree with the head file")
