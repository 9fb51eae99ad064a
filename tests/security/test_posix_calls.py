"""What only a POSIX system has stands in four files of one package, which say what they do elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

HOMES = [ROOT / "riskmodels" / "storage" / f"{name}.py" for name in ("folders", "locks", "plain", "private")]
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
# By module, what Windows lacks or what means nothing there.
NAMES = {
    "os": {
        "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "chroot", "fchmod", "fchown", "fork", "forkpty",
        "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getuid", "killpg", "lchown", "mkfifo",
        "mknod", "nice", "openpty", "posix_fadvise", "posix_spawn", "pread", "pwrite", "sched_getaffinity",
        "setgid", "setsid", "setuid", "statvfs", "sync", "sysconf", "umask", "uname", "wait", "waitid",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm",
               "setitimer"},
    "time": {"tzset"},
}  # fmt: skip
PLACES = ("/tmp", "/dev/", "/proc/", "/etc/", "/var/", "/usr/")
# ``if hasattr(os, "...")``, or a test of ``os.name``, around a call says what happens elsewhere.
GUARDS = ("hasattr", "os.name", "sys.platform")


def posix_in(source: str) -> list[str]:
    """Each call of a POSIX system in a file, with its line; those under a guard of the same statement are left out."""
    return [f"line {line}: {what}" for line, what in sorted(_found(ast.parse(source)))]


def _found(tree: ast.Module) -> Iterator[tuple[int, str]]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.IfExp | ast.BoolOp) and any(guard in ast.unparse(node) for guard in GUARDS)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, one.name) for one in names if one.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                if module in MODULES:
                    yield node.lineno, module
                yield from ((node.lineno, one.name) for one in names if one.name in NAMES.get(module, ()))
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in NAMES.get(module, ()):
                if id(node) not in guarded:
                    yield node.lineno, f"{module}.{name}"
            case ast.Constant(value=str(text)) if id(node) not in docstrings and text.startswith(PLACES):
                yield node.lineno, repr(text)


def shipped() -> list[Path]:
    return sorted(
        path for folder in ("riskmodels", "pipelines", "experiments") for path in (ROOT / folder).rglob("*.py")
    )


def test_posix_calls_stand_in_storage_alone() -> None:
    found = {str(path.relative_to(ROOT)): posix_in(path.read_text()) for path in shipped() if path not in HOMES}
    assert {path: calls for path, calls in found.items() if calls} == {}
    assert [path.name for path in HOMES if not posix_in(path.read_text())] == [], "nothing is found where something is"


@pytest.mark.parametrize(
    "line",
    [
        "import fcntl", "import pwd as users", "from resource import getrusage", "from os import fork", "os.fork()",
        "os.open(path, os.O_RDONLY | os.O_NOFOLLOW)", "os.geteuid()", "signal.signal(signal.SIGKILL, stop)",
        "os.fchmod(handle, 0o600)", "os.mkfifo(path)", "from signal import SIGALRM", "open('/tmp/list.csv')",
        "open('/dev/null')", "folder = f'/tmp/{name}'",
    ],
)  # fmt: skip
def test_each_would_be_found(line: str) -> None:
    assert posix_in(f'"""Says /tmp."""\n{line}\n'), line


@pytest.mark.parametrize(
    "line",
    [
        "os.replace(new, old)", "os.getpid()", "signal.SIGINT", "shape.wait()", "said = 'work/tmp'", "os.cpu_count()",
        "cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()",
        "mine = hasattr(os, 'geteuid') and found.st_uid == os.geteuid()",
    ],
)  # fmt: skip
def test_what_runs_everywhere_is_not(line: str) -> None:
    assert posix_in(line) == []
