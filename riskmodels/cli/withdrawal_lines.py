"""What a withdrawal did, as lines of a terminal: the same for one that was typed and one in a committee's file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels.cli.app import print_table
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands import WithdrawalReport


def print_withdrawal(report: WithdrawalReport, workspace: Path) -> None:
    name, where = f"{report.study}/{report.version}", Workspace(workspace).as_option
    if report.already:
        print(f"{name} was withdrawn before (record {report.record}); nothing was recorded.")
    else:
        print(f"Withdrawn: {name}; it scores nobody from now on (record {report.record}).")
        print(f"Seal, for the minutes: {report.seal}")
    if report.also:
        many = "version" if len(report.also) == 1 else "versions"
        print(f"This stops {many} {', '.join(map(str, report.also))} too: it is the same model.")
    if report.notice:
        print(f"Notice for the public register: {report.notice}")
    if report.batches:
        print(f"It made {len(report.batches)} {'batch' if len(report.batches) == 1 else 'batches'}:")
        print_table(report.batches, ["batch_id", "as_of_date", "scored_on", "stage", "scored", "listed"])
        print("Tell the team that holds these lists: they are not to be used any more.")
    else:
        print("It made no batch.")
    if report.was_champion and report.back_to is not None:
        print(
            f"{report.study} has no champion now. To go back to version {report.back_to}: riskmodels rollback "
            f"{report.study} --by ROLE --reason WHY{where}"
        )
    elif report.was_champion:
        print(f"{report.study} has no champion now, and none before it to go back to.")
    if report.instead is None:
        print("It does not say what people are offered now (--instead says it); `instead` in notice.yaml still can.")
    print(
        f"If it stands in a public register: riskmodels publish {name} FOLDER{where}, then "
        f"riskmodels site FOLDER --output PUBLIC{where}"
    )
    if report.delayed:
        print(f"Note: {report.delayed}")
    if report.warning:
        print(f"Note: {report.warning}")
