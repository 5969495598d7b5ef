"""What the demo found out: steps with words, figures of each viewing, as JSON for programs and lines for people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Step:
    """One thing that had to work. `detail` says what was seen."""

    name: str
    ok: bool = False
    detail: str = ""


@dataclass
class Report:
    """Grows while the demo runs; `write` leaves it as report.json."""

    steps: list[Step] = field(default_factory=list)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Runs a step. An exception makes it a failed one, and ends the demo."""
        step = Step(name)
        self.steps.append(step)
        _say(f"{name} ...", end="")
        try:
            yield step
            step.ok = True
        except BaseException as error:
            step.detail = f"{type(error).__name__}: {error}"
            raise
        finally:
            mark = "\033[32mdone\033[0m" if step.ok else "\033[31mFAILED\033[0m"
            _say(f"\r[{time.monotonic() - self._started:5.1f} s] {name}: {mark}\033[K")
            if step.detail:
                _say(f"          {step.detail}")

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step.ok for step in self.steps)

    def write(self, path: Path) -> None:
        content = {
            "ok": self.ok,
            "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in self.steps],
            "media": self.media,
        }
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def live(text: str) -> None:
    """A line that the next one replaces; only on a terminal."""
    if sys.stdout.isatty():
        _say(f"\r          {text}\033[K", end="")


def _say(text: str, end: str = "\n") -> None:
    if not sys.stdout.isatty():
        if end != "\n":
            return
        for code in ("\033[32m", "\033[31m", "\033[0m", "\033[K", "\r"):
            text = text.replace(code, "")
    print(text, end=end, flush=True)
