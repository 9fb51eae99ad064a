"""``python -m riskmodels`` and the ``riskmodels`` command: every error becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

from riskmodels.errors import ExitCode, RiskModelsError

STOPPED = 130  # by Ctrl-C, as shells have it


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Set RISKMODELS_TRACEBACK=1 to see the way to an internal error."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from riskmodels.cli import app

    try:
        result = app(args=None if arguments is None else list(arguments), prog_name="riskmodels", standalone_mode=False)
        ended = int(result) if isinstance(result, int) else int(ExitCode.DONE)
        # What the command line makes of Ctrl-C, without a word.
        return _stopped(arguments) if ended == STOPPED else ended
    except RiskModelsError as error:
        print(f"riskmodels: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return _stopped(arguments)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return int(ExitCode.DONE)
        print(
            f"riskmodels: {error.filename or 'the system'}: {error.strerror or type(error).__name__}", file=sys.stderr
        )
        return int(ExitCode.OUTSIDE)
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # the last net (Polars panics are no Exception): what it says may quote a person
        if type(error).__name__ == "Abort":  # the command line's own word for Ctrl-C or an input that ended
            return _stopped(arguments)
        code = getattr(error, "exit_code", None)
        if type(error).__name__ == "NoArgsIsHelpError":
            with contextlib.suppress(BrokenPipeError):
                print(error.format_message())  # type: ignore[attr-defined]
            return int(ExitCode.USAGE)
        if isinstance(code, int) and hasattr(error, "format_message"):
            print(f"riskmodels: {error.format_message()}; see --help", file=sys.stderr)
            return code
        if type(error).__module__.partition(".")[0].strip("_") == "duckdb":
            print(
                f"riskmodels: the engine duckdb gave up ({type(error).__name__}); give it more --memory-limit, or free "
                "space on the disk",
                file=sys.stderr,
            )
            return int(ExitCode.OUTSIDE)
        if os.environ.get("RISKMODELS_TRACEBACK"):
            print(_way_to(error), file=sys.stderr)
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else "?"
        print(
            f"riskmodels: internal error ({type(error).__name__} in {where}); this is our bug. "
            "Set RISKMODELS_TRACEBACK=1 to see the way to it, which quotes no data",
            file=sys.stderr,
        )
        return int(ExitCode.BUG)


def _way_to(error: BaseException | None) -> str:
    """Files, lines and types of errors, outermost last, without what the errors say: that may quote a person.

    Only of a module or a name that is not there is the text shown; it is ours.
    """
    parts: list[str] = []
    met: list[BaseException] = []
    while error is not None and error not in met:
        met.append(error)
        said = f": {error}" if isinstance(error, (ImportError, NameError)) else ""
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
        parts.append(f"{''.join(frames)}{type(error).__name__}{said}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nwhich led to\n\n".join(reversed(parts))


def _stopped(arguments: Sequence[str] | None) -> int:
    """Say what was left: a list that is half made is gone on with, anything else is there whole or not at all."""
    words = sys.argv[1:] if arguments is None else arguments
    goes_on = "score" in words[:1] and "--dry-run" not in words
    left = "run again with --resume to go on" if goes_on else "nothing half-written was left behind"
    print(f"riskmodels: stopped; {left}", file=sys.stderr)
    return STOPPED


if __name__ == "__main__":
    main()
