"""The commands: parse, call, print, exit codes. What they do is in `commands/`; a file here for each kind of verb."""

from __future__ import annotations

from riskmodels.cli import models, studies
from riskmodels.cli.app import app

__all__ = ["app", "models", "studies"]
