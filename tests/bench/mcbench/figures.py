"""Figures of one benchmark: samples, medians, spread and goals, written as the C++ benchmarks write theirs."""

from __future__ import annotations

import json
import math
import platform
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def percentile(values: list[float], share: float) -> float:
    """The least value that `share` of all do not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def spread(values: list[float]) -> float:
    """(most - least) / median; 0 for a single value."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


@dataclass
class Figures:
    """Rows in the order of adding. A row without samples says why there are none, and misses no goal."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def row(self, name: str, samples: list[float], unit: str, *, goal: float | None = None, floor: bool = False,
            noise: float = 1.0) -> None:
        """The median of `samples`. `goal`: at most that (with `floor`: at least). `noise`: the factor by which two equal
        programs differ in one run, where the goal is to be as good as another one."""
        if not samples:
            raise ValueError(f"{name}: no samples")
        value = statistics.median(samples)
        met = goal is None or (value >= goal / noise if floor else value <= goal * noise)
        self.rows.append({
            "name": name, "value": value, "unit": unit, "goal": goal, "met": met, "spread": spread(samples),
            "samples": len(samples), "least": min(samples), "most": max(samples), "at_least": floor,
        })

    def never(self, name: str, unit: str, why: str) -> None:
        """A peer that does not do it at all."""
        self.rows.append({
            "name": name, "value": 0, "unit": unit, "goal": None, "met": True, "spread": 0, "samples": 0, "why": why,
        })

    def all_met(self) -> bool:
        return all(row["met"] for row in self.rows)

    def text(self) -> str:
        lines = []
        for row in self.rows:
            if row["samples"] == 0:
                lines.append(f"{row['name']:<44} {'-':>10} {row['unit']:<8} {row['why']}")
                continue
            goal = "" if row["goal"] is None else f"goal {'>=' if row['at_least'] else '<='} {row['goal']:.4g}"
            lines.append(
                f"{row['name']:<44} {row['value']:>10.4g} {row['unit']:<8} {goal:<16} "
                f"({row['least']:.4g} to {row['most']:.4g}, {row['samples']} samples){'' if row['met'] else ' MISSED'}"
            )
        return "\n".join(lines)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        machine = {"cpu": cpu_model(), "kernel": platform.release(), **self.notes}
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps({"name": self.name, "machine": machine, "rows": self.rows}, indent=2) + "\n", encoding="utf-8")
        return path
