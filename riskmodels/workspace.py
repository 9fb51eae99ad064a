"""Where things stand in a workspace: the only state there is.

::

    mlflow.db  mlartifacts/
    data/<study>/                     source tables made by a study's prepare.py
    runs/<study>/<run>/               study/ riskmodel/ card/ audit/ figures/ explain/ predictions.parquet run.json
    models.json                       study -> versions, digests, folders, aliases
    governance/<study>.jsonl          hash-chained record: decisions, promotions, withdrawals, what was purged
    governance/<study>/<digests>/     what was decided on, as it was: study/ riskmodel/ card/ run.json
    retention.yaml                    how long what is kept here is kept (docs/retention.md)
    batches/ledger.jsonl              one line for each batch, aggregates only
    batches/<study>/<batch>/          people.parquet batch.json: what trace and letter read, as long as it is kept
    cache/                            results kept between runs; it may be deleted at any time
    cache/fetched/<model_sha256>/     models fetched from a shared MLflow server
    tuning/<study>/                   trials of tuning, so that a search that was stopped goes on
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

USUAL = Path("work")


@dataclass(frozen=True)
class Workspace:
    root: Path

    @property
    def as_option(self) -> str:
        """What a command that is shown has to say to find it, after a blank; nothing for the usual one."""
        return "" if self.root == USUAL else f" --workspace {shlex.quote(str(self.root))}"

    @property
    def tracking_uri(self) -> str:
        return f"sqlite:///{(self.root / 'mlflow.db').resolve()}"

    @property
    def artifacts(self) -> Path:
        return self.root / "mlartifacts"

    @property
    def models_index(self) -> Path:
        return self.root / "models.json"

    @property
    def ledger(self) -> Path:
        return self.root / "batches" / "ledger.jsonl"

    def batch(self, study: str, batch_id: str) -> Path:
        return self.root / "batches" / study / batch_id

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def tuning(self, study: str) -> Path:
        return self.root / "tuning" / study

    def data(self, study: str) -> Path:
        return self.root / "data" / study

    def runs(self, study: str) -> Path:
        return self.root / "runs" / study

    def reviews(self, study: str) -> Path:
        return self.root / "governance" / f"{study}.jsonl"

    def deposit(self, study: str, model_sha256: str, card_sha256: str) -> Path:
        return self.root / "governance" / study / f"{model_sha256[:16]}-{card_sha256[:16]}"
