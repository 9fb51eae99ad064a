"""The columns of a decision sheet, by which it is written and read back, and the words that a decision may be."""

from __future__ import annotations

PERSON, DECISION, DECIDER, DECIDED_ON, WHY = "Person", "Decision", "Decided by", "Decided on", "Why"
HOW, BATCH = "How they came here", "Batch"
LISTED, ADDED = "on the list", "added by the team"
DECISIONS = ("offered help", "not now", "already helped", "wrong person", "other")

READ_FIRST, SHEET = "Read first", "Decisions"
# Heading -> the column it shows of the scored file, or REASONS (none: for people to fill in), and its width in letters.
# Wide enough to read on the screen, narrow enough to be read when it is printed across one sheet of A4.
REASONS = "reasons"
COLUMNS: dict[str, tuple[str | None, float]] = {
    "Rank of all": ("rank", 6),
    PERSON: ("entity_id", 12),
    "Risk, of 100": ("risk", 6),
    "Band": ("band", 8),
    "Reasons, strongest first": (REASONS, 36),
    "What lowers it": ("lowers_1", 18),
    "Take care": ("caveats", 18),
    DECISION: (None, 13),
    DECIDER: (None, 12),
    DECIDED_ON: (None, 11),
    WHY: (None, 22),
    HOW: (None, 12),
    BATCH: ("batch_id", 9),
}
PRINTED = len(COLUMNS) - 2  # how somebody came here and the batch are for reading the sheet back
EMPTY_ROWS = 20  # at the end, for people whom the model cannot see
