"""Checks docs/multicast-checklist.md against the tests that exist and against the reports of a run.

`checklist.py REPORTS KIND...`: REPORTS is the folder with the run's JUnit reports (build/test), KIND each kind of test that was run. Writes
REPORTS/checklist.json: `rows` of `n`, `statement`, `tests`; each test has `name` and `ok`, which is null when its kind was not run.
Exit status 1 when a named test does not exist, or failed or is absent from the report of a kind that was run.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = "docs/multicast-checklist.md"
NO_TEST = "none yet"
ROWS = 45

_GTEST = re.compile(r"^\s*TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
_PYTEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


@dataclass
class Row:
    n: int
    statement: str
    tests: list[str]


@dataclass
class Known:
    """Every test of the project: name to the kind that runs it. pytest names are whole: lab/multicast/test_x.py::test_y."""

    kinds: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> list[str]:
        """The tests that a name of the table means: exactly one when all is well."""
        if "::" not in name:
            return [name] if name in self.kinds else []
        return [whole for whole in self.kinds if whole == name or whole.endswith(f"/{name}")]


class Wrong(ValueError):
    """The table itself cannot be read; the text says which line and why."""


def read_table(text: str) -> list[Row]:
    rows: list[Row] = []
    for line in text.splitlines():
        if not re.match(r"\|\s*\d", line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or not cells[0].isdigit() or not cells[1]:
            raise Wrong(f"not `| n | statement | test |`: {line}")
        names = re.findall(r"`([^`]+)`", cells[2])
        rest = re.sub(r"`[^`]+`|,", "", cells[2]).strip()
        if rest != ("" if names else NO_TEST):
            raise Wrong(f"row {cells[0]}: the last column names tests in backticks, or says '{NO_TEST}': {cells[2]}")
        rows.append(Row(int(cells[0]), cells[1], names))
    if [row.n for row in rows] != list(range(1, ROWS + 1)):
        raise Wrong(f"the rows are not numbered from 1 to {ROWS}: {[row.n for row in rows]}")
    return rows


def known_tests(tests: Path) -> Known:
    known = Known()
    for path in sorted(tests.rglob("*")):
        kind = path.relative_to(tests).parts[0]
        if path.suffix == ".cpp":
            for suite, case in _GTEST.findall(path.read_text(encoding="utf-8")):
                known.kinds[f"{suite}.{case}"] = kind
        elif path.name.startswith("test_") and path.suffix == ".py":
            for name in _PYTEST.findall(path.read_text(encoding="utf-8")):
                known.kinds[f"{path.relative_to(tests)}::{name}"] = kind
    return known


def _name_of(case: ElementTree.Element) -> str:
    """A case of a report by the name that the sources give it, without parameters."""
    suite, name = case.get("classname", ""), case.get("name", "")
    if "." in suite or suite.startswith("test_"):  # pytest: tests.lab.multicast.test_x
        path = re.sub(r"^tests\.", "", suite).replace(".", "/")
        return f"{path}.py::{name.split('[')[0]}"
    parts = suite.split("/")
    # Instance/Suite for parameters given by value, Suite/0 for types.
    suite = next((part for part in reversed(parts) if not part.isdigit()), suite)
    return f"{suite}.{name.split('/')[0]}"


def read_results(reports: Path) -> dict[str, bool]:
    """Whether each test of the run passed; one with parameters passed when all its cases did and one was run."""
    results: dict[str, bool] = {}
    for path in sorted([*reports.glob("*.xml"), *reports.glob("*/*.xml")]):
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except ElementTree.ParseError as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        for case in cases:
            ran = case.find("skipped") is None and case.get("status", "run") in ("run", "passed")
            good = ran and case.find("failure") is None and case.find("error") is None
            name = _name_of(case)
            results[name] = results.get(name, True) and good
    return results


def judge(rows: list[Row], known: Known, results: dict[str, bool], kinds: set[str]) -> tuple[list[dict[str, object]], list[str]]:
    """The rows as they are written to the report, and what is wrong with them, in words."""
    written, complaints = [], []
    for row in rows:
        tests = []
        for name in row.tests:
            found = known.find(name)
            ok: bool | None = None
            if len(found) != 1:
                complaints.append(f"row {row.n}: {name}: " + ("there is no such test" if not found else f"means {', '.join(found)}"))
                ok = False
            elif known.kinds[found[0]] in kinds:
                ok = results.get(found[0], False)
                if not ok:
                    complaints.append(f"row {row.n}: {name}: " + ("failed" if found[0] in results else "was not run"))
            tests.append({"name": name, "ok": ok})
        written.append({"n": row.n, "statement": row.statement, "tests": tests})
    return written, complaints


def main(root: Path, reports: Path, kinds: set[str]) -> int:
    try:
        rows = read_table((root / TABLE).read_text(encoding="utf-8"))
    except Wrong as error:
        print(f"{TABLE}: {error}")
        return 1
    written, complaints = judge(rows, known_tests(root / "tests"), read_results(reports), kinds)
    (reports / "checklist.json").write_text(json.dumps({"rows": written}, indent=1) + "\n", encoding="utf-8")
    for complaint in complaints:
        print(f"{TABLE}: {complaint}")
    shown = sum(bool(row["tests"]) and all(test["ok"] for test in row["tests"]) for row in written)  # type: ignore[attr-defined]
    print(f"checklist: {shown} of {len(rows)} rows shown by this run; {sum(not row.tests for row in rows)} without a test")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(ROOT, Path(sys.argv[1]), set(sys.argv[2:])))
