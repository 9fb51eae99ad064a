"""Read tables and files; write whole or not at all.

Everything that touches a disk and is not MLflow goes through here, so that the promises hold in one place: a file
appears complete or does not appear, files that can hold people are owner-only, and a failing disk is one line.
"""

from __future__ import annotations

from riskmodels.storage.files import canonical_json, digest_of_files, parse_json, read_bytes, read_json, sha256
from riskmodels.storage.folders import folder_made_whole, sweep_folders, write_folder
from riskmodels.storage.locks import held, locked, together
from riskmodels.storage.plain import (
    NotPlainError,
    PlainFolder,
    TooLargeError,
    open_plain_file,
    open_plain_folder,
    read_plain_file,
    refuse_links,
)
from riskmodels.storage.private import OWNER_ONLY, OWNER_ONLY_FOLDER, make_private, only_ours, refuse_foreign
from riskmodels.storage.refusals import outside_world, refuse_unwritable
from riskmodels.storage.tables import ROWS_IN_A_GROUP, read_as_table, read_table, refuse_unreadable, table_bytes
from riskmodels.storage.whole import (
    append_line,
    cut_to,
    laid_beside,
    sweep_beside,
    write_together,
    write_whole,
    write_whole_with,
)
from riskmodels.storage.yaml_files import MOST_YAML, parse_yaml, read_yaml, write_yaml

__all__ = [
    "MOST_YAML",
    "OWNER_ONLY",
    "OWNER_ONLY_FOLDER",
    "ROWS_IN_A_GROUP",
    "NotPlainError",
    "PlainFolder",
    "TooLargeError",
    "append_line",
    "canonical_json",
    "cut_to",
    "digest_of_files",
    "folder_made_whole",
    "held",
    "laid_beside",
    "locked",
    "make_private",
    "only_ours",
    "open_plain_file",
    "open_plain_folder",
    "outside_world",
    "parse_json",
    "parse_yaml",
    "read_as_table",
    "read_bytes",
    "read_json",
    "read_plain_file",
    "read_table",
    "read_yaml",
    "refuse_foreign",
    "refuse_links",
    "refuse_unreadable",
    "refuse_unwritable",
    "sha256",
    "sweep_beside",
    "sweep_folders",
    "table_bytes",
    "together",
    "write_folder",
    "write_together",
    "write_whole",
    "write_whole_with",
    "write_yaml",
]
