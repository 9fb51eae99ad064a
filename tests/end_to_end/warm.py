"""The command line, ready: each command runs in a process of its own that has its libraries by now.

A line of standard input names the arguments and a file for what is said; the answers are the process's number, and
then how it ended. Started by its path, since no test is in it.
"""

from __future__ import annotations

import json
import os
import sys


def ready() -> None:
    """Import what a command would, without threads of its own: a process that has some is not to be forked."""
    for name in ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow.pyfunc
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    import riskmodels.cards.checks
    import riskmodels.cli
    import riskmodels.pipeline
    import riskmodels.tracking.governing  # noqa: F401


def start(arguments: list[str], said: str) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        from riskmodels.__main__ import run

        code = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    ready()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = start(asked["arguments"], asked["said"])
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
