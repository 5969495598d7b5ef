"""Running commands, with the command and its output in the error when one fails."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class CommandFailed(RuntimeError):
    """A command of the lab itself failed; the text says which and what it said."""


def run(command: Sequence[str], *, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
    """Runs a command and returns its standard output. Raises CommandFailed on a non-zero exit when `check`."""
    done = subprocess.run(
        list(command), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: exit {done.returncode}\n{stdin or ''}{done.stdout}{done.stderr}")
    return done.stdout
