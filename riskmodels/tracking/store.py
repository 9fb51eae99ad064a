"""A connection to MLflow: it says nothing of its own, waits for a bounded time, and fails in one line.

Passwords come from the environment (``MLFLOW_TRACKING_USERNAME`` and ``MLFLOW_TRACKING_PASSWORD``) or from
``~/.mlflow/credentials``, where MLflow looks for them itself. They are never on a command line.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import OutsideError
from riskmodels.workspace import Workspace

URI_VARIABLE = "MLFLOW_TRACKING_URI"
REGISTRY_VARIABLE = "MLFLOW_REGISTRY_URI"
WAITS = (1.0, 2.0, 3.0)  # seconds before each further try to reach a server
ANSWERS_WITHIN = 3  # seconds; with the waits, a server that is not there costs 18 at most
# MLflow's own would try again for four minutes, and wait two minutes for each answer.
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "20", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}
RETRIES_VARIABLE = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
DATABASE_TRIES = 5  # MLflow's ten take 100 seconds, and it has no setting for them
OUT_OF_SERVICE = (502, 503, 504)
LOG_AGAIN = "what was made stands in the workspace, run again to log it"


class AmissError(OSError):
    """What we found wrong with a store, in our own words."""


def resolve_tracking_uri(workspace: Workspace, given: str | None) -> str:
    """--tracking-uri, else MLFLOW_TRACKING_URI, else the workspace's own database."""
    return given or os.environ.get(URI_VARIABLE) or workspace.tracking_uri


def without_password(text: str) -> str:
    """A text that may be printed: ``//user:secret@host`` becomes ``//host``."""
    # Whatever stands before the last @: a password may hold a / or an @. In a file's path they are no account.
    return re.sub(r"(?<!sqlite:)(?<!file:)(?<!/)//\S*@", "//", text)


def is_server(tracking_uri: str) -> bool:
    return tracking_uri.startswith(("http://", "https://"))


@contextmanager
def connected(
    workspace: Workspace,
    tracking_uri: str,
    *,
    otherwise: str = LOG_AGAIN,
    retries: int = 2,
    progress: Callable[[str], None] = lambda message: None,
) -> Iterator[Any]:
    """MLflow, pointed at a store.

    Parameters
    ----------
    otherwise : how things stand if it fails, and what to do: the end of the line that the user reads
    retries : of a request that a busy server did not answer; the user's own setting goes before it

    Raises
    ------
    OutsideError
        if the store cannot be reached, read or written, or refuses this account.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import logging
    import warnings

    with warnings.catch_warnings():
        # The store's own migration notes and hints are not for our users.
        warnings.simplefilter("ignore")
        import mlflow
        from mlflow.store.db import utils as database
        from sqlalchemy.exc import SQLAlchemyError

        where = without_password(tracking_uri)
        # What goes wrong is told in one line below; theirs would be a traceback.
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        storage.make_private(workspace.root)
        lent = {**PATIENCE, RETRIES_VARIABLE: str(retries)}
        before = {name: os.environ.get(name) for name in (URI_VARIABLE, REGISTRY_VARIABLE, *lent)}
        for name, value in lent.items():
            os.environ.setdefault(name, value)
        database.MAX_RETRY_COUNT = DATABASE_TRIES
        try:
            if is_server(tracking_uri):
                _reach(tracking_uri, progress)
            elif tracking_uri == workspace.tracking_uri:
                _make_whole(workspace.root / "mlflow.db")
            mlflow.set_tracking_uri(tracking_uri)
            mlflow.set_registry_uri(tracking_uri)
            yield mlflow
        except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError, ImportError) as reason:
            raise OutsideError(f"MLflow at {where}: {_in_words(reason)}; {otherwise}") from None
        finally:
            # MLflow writes the addresses it is given into the environment, where the next run would take them for a
            # wish, and keeps the registry's, where the next workspace's models would be looked for.
            mlflow.set_registry_uri(None)
            for name, value_before in before.items():
                os.environ.pop(name, None)
                if value_before is not None:
                    os.environ[name] = value_before
            if before[URI_VARIABLE] is not None:
                mlflow.set_tracking_uri(before[URI_VARIABLE])


def _make_whole(path: Path) -> None:
    """Make the workspace's own database unless it is there: its tables take long, and one that has only some of them,
    since its maker was killed, is of no use to MLflow ever after. Raises SQLAlchemyError or OSError."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    def put(temporary: Path) -> None:
        engine = create_sqlalchemy_engine(f"sqlite:///{temporary}")
        try:
            _initialize_tables(engine)
        finally:
            engine.dispose()

    if path.exists():
        return
    try:
        with storage.locked(path):
            if not path.exists():
                storage.sweep_beside(path)
                storage.write_whole_with(path, put)
    except OutsideError as refusal:
        raise AmissError(str(refusal).removesuffix("; nothing was changed")) from None


def refused(reason: Exception) -> bool:
    """Whether a server said that this account may not do this."""
    return getattr(reason, "error_code", "") == "PERMISSION_DENIED" or "403 Client Error" in str(reason)


def lets_anybody_in(tracking_uri: str) -> bool:
    """Whether a server answers somebody who gives no name: then it protects nothing."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    nobody = get_default_host_creds(tracking_uri)
    nobody.username = nobody.password = nobody.token = None
    answer = http_request(nobody, "/api/2.0/mlflow/registered-models/search?max_results=1", "GET", max_retries=0)
    return bool(answer.status_code == 200)


def _reach(tracking_uri: str, progress: Callable[[str], None]) -> None:
    """Have any answer of a server, trying again for a while. Raises MlflowException."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    for wait in (*WAITS, None):
        try:
            answer = http_request(
                get_default_host_creds(tracking_uri), "/health", "GET",
                max_retries=0, timeout=ANSWERS_WITHIN, raise_on_status=False,
            )  # fmt: skip
            if answer.status_code not in OUT_OF_SERVICE:
                return
            reason = f"is out of service ({answer.status_code})"
        except MlflowException as error:
            reason = "gave no answer" if "timed out" in str(error).lower() else "cannot be reached"
        if wait is None:
            raise AmissError(f"it {reason}, {len(WAITS) + 1} times; see that it runs, and that the address is right")
        progress(f"MLflow {reason}; trying again")
        time.sleep(wait)


def _in_words(reason: Exception) -> str:
    """What went wrong, in one line of ours where we know it, else in the first of theirs."""
    said = str(reason).strip()
    if isinstance(reason, AmissError):
        return said
    code = getattr(reason, "error_code", "")
    low = said.lower()
    if code in ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED") or "401 Client Error" in said:
        return (
            "it does not know this account; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or write them "
            "to ~/.mlflow/credentials"
        )
    if refused(reason):
        return "this account may not do that there; ask somebody who may, or its administrator"
    if "database is locked" in low:
        return "its database is in use by another program; wait for its end, then try again"
    if "readonly database" in low or "read-only" in low:
        return "its database may not be written; change its permissions, or the folder's"
    if "database or disk is full" in low or "no space left" in low:
        return "its disk is full; make room, then try again"
    return without_password((said or type(reason).__name__).splitlines()[0])[:200]
