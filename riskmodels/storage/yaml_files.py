"""YAML 1.2 as people expect it, and no more of it than anybody writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from riskmodels.errors import StudyError
from riskmodels.storage.files import read_bytes

MOST_YAML = 4_000_000  # bytes
MOST_NODES = 1_000_000  # of a YAML file, each alias counted with all that it stands for


class _Loader(yaml.SafeLoader):
    """YAML 1.2 as people expect it: only true and false are booleans, and a key said twice is an error."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _mapping_without_duplicates(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            said = "a key must be one word; put quotes around a text that starts with { or ["
            raise yaml.constructor.ConstructorError(None, None, said, key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _date_of_the_calendar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        said = f"the calendar has no day {node.value}"
        raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from None


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date_of_the_calendar)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file.

    Raises
    ------
    StudyError
        if it is missing or not YAML; the line and column are named.
    """
    return parse_yaml(read_bytes(path, StudyError), path)


def parse_yaml(text: bytes, path: Path) -> Any:
    """As `read_yaml`, of bytes already read; ``path`` is for the message."""
    if len(text) > MOST_YAML:
        raise StudyError(f"{path}: is larger than {MOST_YAML:,} bytes, so nobody wrote it; restore it")
    try:
        loader = _Loader(text.decode("utf-8"))
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if _nodes_in(node, {}) > MOST_NODES:
                raise StudyError(f"{path}: its aliases (*) stand for more than anybody reads; write out what is meant")
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise StudyError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as reason:
        mark = reason.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise StudyError(f"{path}{where}: {reason.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError):  # ValueError: a number of ten thousand digits
        raise StudyError(f"{path}: is not YAML") from None


def _nodes_in(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for once every alias in it is written out; one that holds itself has no end."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1  # what a node that holds itself finds
        inner = node.value if isinstance(node, yaml.SequenceNode) else [one for pair in node.value for one in pair]
        known[id(node)] = 1 + sum(_nodes_in(one, known) for one in inner)
    return known[id(node)]


def write_yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110).encode()
