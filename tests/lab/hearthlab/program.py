"""One of the product's programs in the lab: its settings, its folders, its supervisor and its command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import control
from .namespace import Namespace
from .supervisor import Supervisor

USER = "nobody"
GROUP = "nogroup"
NOT_RUNNING = 3  # tunnelmgr/runtime/exit_code.hpp
# Of the commands that only read, what they ask the running program; with --json they print its answer.
READING = {
    "hearthcast-box": {name: f"/api/v1/{name}" for name in ("status", "channels", "devices", "viewers", "peers")},
    "hearthcast-away": {"status": "/status", "channels": "/channels"},
    "hearthcast-rendezvous": {"status": "/status"},
}


class Refused(RuntimeError):
    """A command of the product ended with an error; the text is what it told its user."""

    def __init__(self, command: list[str], status: int, text: str) -> None:
        super().__init__(f"{' '.join(command)}: exit {status}: {text}")
        self.status = status
        self.text = text


class Program:
    """A program with all that it keeps below one folder. `unprivileged`: it is started without root, as users do."""

    def __init__(
        self,
        space: Namespace,
        binary: Path,
        folder: Path,
        settings: Mapping[str, Any],
        *,
        unprivileged: bool,
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self.space = space
        self.folder = folder
        self.state = folder / "state"
        self.control_socket = folder / "control.sock"
        self._binary = binary
        self._unprivileged = unprivileged
        self.state.mkdir(parents=True)
        shutil.chown(folder, USER, GROUP)
        shutil.chown(self.state, USER, GROUP)
        self.state.chmod(0o700)
        self._config = folder / "settings.toml"
        self.write_settings(settings)
        self.supervisor = Supervisor(space, [*wrapper, *self._command("run")], folder / "log")

    def _command(self, *arguments: str) -> list[str]:
        lowered = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups"] if self._unprivileged else []
        return [*lowered, str(self._binary), "--config", str(self._config), *arguments]

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Replaces the settings file; the program reads it when it starts, or when it is told to."""
        self.settings = dict(settings)
        whole = {"state_dir": str(self.state), "control_socket": str(self.control_socket), **settings}
        if not self._unprivileged:
            whole["run_as"] = USER
        self._config.write_text(toml(whole), encoding="utf-8")

    def start(self) -> None:
        self.supervisor.start()

    def stop(self) -> None:
        self.supervisor.stop()

    def log(self) -> str:
        return self.supervisor.text()

    def call(self, *arguments: str, timeout: float = 60, stdin: str | None = None) -> str:
        """Runs a command of the program against the running one. Raises Refused when it exits with an error."""
        command = self.space.command(*self._command(*arguments))
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, input=stdin)
        if done.returncode != 0:
            raise Refused([self._binary.name, *arguments], done.returncode, (done.stderr + done.stdout).strip())
        return done.stdout

    def ask(self, *arguments: str) -> dict[str, Any]:
        """A command with --json, its answer as a dictionary. One that only reads is done without starting it: tests wait with
        these, and a program that starts ten times a second keeps half a processor busy."""
        path = READING.get(self._binary.name, {}).get(" ".join(arguments))
        if path is None:
            return dict(json.loads(self.call(*arguments, "--json")))
        try:
            return dict(control.ask(self.control_socket, "GET", path))
        except OSError as error:
            raise Refused([self._binary.name, *arguments], NOT_RUNNING, f"it does not answer: {error}") from error


def toml(settings: Mapping[str, Any], table: str = "") -> str:
    """Settings as TOML: plain values first, then a table for each nested mapping, and one for each of a list of them."""
    lines, tables = [], []
    for key, value in settings.items():
        name = f"{table}.{key}" if table else key
        if isinstance(value, Mapping):
            tables.append(f"[{name}]\n{toml(value, name)}")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            tables += [f"[[{name}]]\n{toml(row, name)}" for row in value]
        else:
            lines.append(f"{key} = {json.dumps(value)}\n")
    return "".join((*lines, *tables))


ALL_PROGRAMS = ("hearthcast-box", "hearthcast-away", "hearthcast-rendezvous", "hearthcast-netd")


def binaries(root: Path, target: Path, names: tuple[str, ...] = ALL_PROGRAMS) -> Path:
    """Puts the built programs where an unprivileged user may run them; a checkout may lie in a closed home."""
    source = Path(os.environ.get("HEARTHCAST_BIN", root / "build" / "bin"))
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (source / name).exists():
            raise FileNotFoundError(f"{source / name} is missing: build it with ./hearth build")
        try:
            os.link((source / name).resolve(), target / name)
        except OSError:  # on another file system
            shutil.copy2(source / name, target / name)
            (target / name).chmod(0o755)
    return target
