"""The kinds of machine that we install on. To add one: a row of `SYSTEMS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class System:
    """``tags`` are the platforms that its wheels are made for, ``marks`` what a lock's conditions ask about it."""

    tags: tuple[str, ...]
    marks: Mapping[str, str]


# Wheels for an older C library run on a newer one: 2.28 is that of the distributions of 2018 and 2019.
_LINUX_TAGS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
    "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64",
)  # fmt: skip
SYSTEMS: dict[str, System] = {
    "linux": System(
        _LINUX_TAGS,
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"},
    ),
    "windows": System(
        ("win_amd64",),
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64", "os_name": "nt"},
    ),
}


@dataclass(frozen=True)
class Machine:
    """A system with its Python, ``python`` being one of `PYTHONS`, or a later one."""

    system: str
    python: str

    @property
    def tags(self) -> tuple[str, ...]:
        return SYSTEMS[self.system].tags

    @property
    def environment(self) -> dict[str, str]:
        """What the conditions of a lock are judged by, in the words of PEP 508."""
        return dict(SYSTEMS[self.system].marks) | {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
