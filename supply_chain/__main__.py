"""``python -m supply_chain wheelhouse | audit | sbom``. Each ends with an exit code of `riskmodels.errors`."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from riskmodels import __version__, storage
from riskmodels.errors import ExitCode, OutsideError, RiskModelsError
from supply_chain.audit import Case, audit
from supply_chain.installed import read_environment
from supply_chain.lock import read_lock
from supply_chain.machines import PYTHONS, SYSTEMS, Machine
from supply_chain.wheelhouse import ROOT, collect, this_machine


def _texts(files: Sequence[Path]) -> dict[str, str]:
    return {path.name: storage.read_bytes(path).decode() for path in files}


def _wheelhouse(asked: argparse.Namespace) -> int:
    system, python = asked.system, asked.python
    if system is None or python is None:
        here = this_machine()
        system, python = system or here.system, python or here.python
    wheels = collect(asked.to, Machine(system, python))
    print(f"{asked.to}: {wheels} wheels for {system}, Python {python}; docs/offline.md says how to go on")
    return ExitCode.DONE


def _audit(asked: argparse.Namespace) -> int:
    answers = audit(Case(_texts(asked.lock), asked.environment, asked.advisories), asked.offline)
    print("\n".join(line for answer in answers for line in answer.lines))
    if any(answer.problems for answer in answers):
        return ExitCode.FAIL
    return ExitCode.OUTSIDE if any(answer.problems is None for answer in answers) else ExitCode.DONE


def _sbom(asked: argparse.Namespace) -> int:
    try:
        from supply_chain import sbom
    except ImportError:
        raise OutsideError("the library cyclonedx is not installed; pip install -r requirements-security.txt") from None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locks = {name: read_lock(text, name) for name, text in _texts(asked.lock).items()}
    content = sbom.build_sbom(__version__, project["license"], locks, read_environment(asked.environment))
    if faults := sbom.faults_of(content):
        raise RiskModelsError(f"the bill of materials breaks CycloneDX's schema: {faults[0]}")
    storage.write_whole(asked.output, content, 0o644)
    print(f"{asked.output}: valid by the schema of CycloneDX {sbom.SCHEMA.to_version()}")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m supply_chain", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    wheelhouse = verbs.add_parser("wheelhouse", help="collect what a machine without a network needs")
    wheelhouse.add_argument("--to", type=Path, default=Path("wheelhouse"), help="the folder to fill")
    wheelhouse.add_argument("--system", choices=SYSTEMS, help="of that machine; this one's unless given")
    wheelhouse.add_argument("--python", choices=PYTHONS, help="of that machine; this one's unless given")
    wheelhouse.set_defaults(do=_wheelhouse)
    audited = verbs.add_parser("audit", help="check what is installed against the lock, and the lock for known faults")
    audited.add_argument("--offline", action="store_true", help="ask nobody; says so, and ends with 7")
    audited.add_argument("--advisories", metavar="ADDRESS", help="a source of advisories of your own, as OSV has it")
    audited.set_defaults(do=_audit)
    bill = verbs.add_parser("sbom", help="write a bill of materials")
    bill.add_argument("--output", type=Path, default=Path("dist/riskmodels.cdx.json"))
    bill.set_defaults(do=_sbom)
    for verb in (audited, bill):
        verb.add_argument(
            "lock", type=Path, nargs="+", help="files of locked requirements; what all install comes first"
        )
        verb.add_argument("--environment", type=Path, default=Path(".venv"), help="the virtual environment to read")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.do(asked))
    except RiskModelsError as problem:
        print(problem, file=sys.stderr)
        return int(problem.exit_code)


if __name__ == "__main__":
    sys.exit(main())
