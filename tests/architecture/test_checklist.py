"""The checklist's table is whole and names tests that exist; the script that judges it finds every way to be wrong."""

import json
import sys
from pathlib import Path

import pytest

from sources import ROOT

sys.path.insert(0, str(ROOT / "packaging" / "dev"))

import checklist  # noqa: E402

CPP = """
TEST(Router, Starts) {}
TEST_F(RouterTest, Leaves) {
TEST_P(Versions,
       Report) {}
// TEST(Router, Commented) {}
"""
FLOW = "tests.lab.multicast.test_flow"
PYTHON = "def test_joins(lab):\n    pass\n\ndef helper():\n    pass\n"


def table(**tests: str) -> str:
    """A table of 45 rows; n7="`A.B`" names the tests of row 7."""
    lines = [f"| {n} | statement {n} | {tests.get(f'n{n}', 'none yet')} |" for n in range(1, 46)]
    return "# title\n\n| n | statement | test |\n|---|---|---|\n" + "\n".join(lines) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two GoogleTest files and one of pytest."""
    for name, text in {
        "tests/unit/router_test.cpp": CPP,
        "tests/sim/months_test.cpp": "TEST(Months, Pass) {}\n",
        "tests/lab/multicast/test_flow.py": PYTHON,
        "tests/lab/test_flow.py": "def test_other():\n    pass\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "docs").mkdir()
    (tmp_path / "reports" / "unit").mkdir(parents=True)
    return tmp_path


def report(root: Path, name: str, *cases: str) -> None:
    (root / "reports" / name).write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")


def case(suite: str, name: str, inside: str = "") -> str:
    return f'<testcase classname="{suite}" name="{name}">{inside}</testcase>'


def run(root: Path, kinds: set[str], **tests: str) -> tuple[int, dict[int, list[dict[str, object]]]]:
    (root / "docs/multicast-checklist.md").write_text(table(**tests))
    status = checklist.main(root, root / "reports", kinds)
    rows = json.loads((root / "reports/checklist.json").read_text())["rows"]
    assert [row["n"] for row in rows] == list(range(1, 46))
    assert all(row["statement"] == f"statement {row['n']}" for row in rows)
    return status, {row["n"]: row["tests"] for row in rows}


def test_passed_tests_of_both_frameworks_are_ok(root):
    report(root, "unit/router.xml", case("Router", "Starts"), case("RouterTest", "Leaves"))
    report(root, "lab.xml", case("tests.lab.multicast.test_flow", "test_joins"))
    status, rows = run(root, {"unit", "lab"}, n1="`Router.Starts`, `RouterTest.Leaves`", n45="`multicast/test_flow.py::test_joins`")
    assert status == 0
    assert rows[1] == [{"name": "Router.Starts", "ok": True}, {"name": "RouterTest.Leaves", "ok": True}]
    assert rows[45] == [{"name": "multicast/test_flow.py::test_joins", "ok": True}]
    assert rows[2] == []


@pytest.mark.parametrize("inside", ["<failure/>", "<error/>", "<skipped/>"])
def test_what_did_not_pass_fails_the_run(root, capsys, inside):
    report(root, "unit/router.xml", case("Router", "Starts", inside))
    status, rows = run(root, {"unit"}, n3="`Router.Starts`")
    assert (status, rows[3][0]["ok"]) == (1, False)
    assert "row 3: Router.Starts: failed" in capsys.readouterr().out


def test_a_case_that_googletest_did_not_run_is_no_pass(root):
    report(root, "unit/router.xml", '<testcase classname="Router" name="Starts" status="notrun"/>')
    assert run(root, {"unit"}, n3="`Router.Starts`")[0] == 1


@pytest.mark.parametrize("name", ["Router.Stops", "Router.Commented", "flow.py::test_joins", "lab/test_flow.py::test_joins", "test_flow.py::helper"])
def test_a_test_that_does_not_exist_fails_any_run(root, capsys, name):
    status, rows = run(root, set(), n9=f"`{name}`")
    assert (status, rows[9]) == (1, [{"name": name, "ok": False}])
    assert f"row 9: {name}: there is no such test" in capsys.readouterr().out


def test_a_name_that_means_two_tests_fails(root, capsys):
    (root / "tests/lab/test_flow.py").write_text(PYTHON)
    assert run(root, set(), n9="`test_flow.py::test_joins`")[0] == 1
    assert "means lab/multicast/test_flow.py::test_joins, lab/test_flow.py::test_joins" in capsys.readouterr().out


def test_a_kind_that_was_not_run_is_neither_good_nor_bad(root):
    report(root, "unit/router.xml", case("Router", "Starts"))
    status, rows = run(root, {"unit"}, n1="`Router.Starts`, `Months.Pass`")
    assert (status, [test["ok"] for test in rows[1]]) == (0, [True, None])


def test_a_test_missing_from_the_report_of_its_kind_fails(root, capsys):
    assert run(root, {"unit", "sim"}, n1="`Months.Pass`")[0] == 1
    assert "row 1: Months.Pass: was not run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "file", "one", "other", "name"),
    [
        ("unit", "unit/a.xml", ("All/Versions", "Report/0"), ("All/Versions", "Report/1"), "Versions.Report"),
        ("unit", "unit/a.xml", ("Router/0", "Starts"), ("Router/1", "Starts"), "Router.Starts"),
        ("lab", "lab.xml", (FLOW, "test_joins[mld1]"), (FLOW, "test_joins[mld2]"), "test_flow.py::test_joins"),
    ],
)
def test_all_cases_of_a_test_with_parameters_count(root, kind, file, one, other, name):
    report(root, file, case(*one), case(*other))
    assert run(root, {kind}, n1=f"`{name}`")[0] == 0
    report(root, file, case(*one, "<failure/>"), case(*other))
    assert run(root, {kind}, n1=f"`{name}`")[0] == 1


def test_a_report_cut_short_is_no_pass(root):
    (root / "reports/unit/router.xml").write_text("<testsuites><testcase")
    assert run(root, {"unit"}, n1="`Router.Starts`")[0] == 1


@pytest.mark.parametrize(
    "text",
    [
        table().replace("| 7 | statement 7 | none yet |\n", ""),
        table() + "| 46 | one more | none yet |\n",
        table().replace("| 7 |", "| 8 |"),
        table(n7="Router.Starts"),
        table(n7="`Router.Starts` and more"),
        table(n7=""),
        table().replace("| 7 | statement 7 |", "| 7 |  |"),
        table().replace("statement 7", "statement | 7"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(text):
    with pytest.raises(checklist.Wrong):
        checklist.read_table(text)


def test_the_table_names_tests_that_exist():
    known = checklist.known_tests(ROOT / "tests")
    rows = checklist.read_table((ROOT / checklist.TABLE).read_text(encoding="utf-8"))
    assert [(row.n, name) for row in rows for name in row.tests if len(known.find(name)) != 1] == []


def test_each_row_of_the_table_has_a_test():
    rows = checklist.read_table((ROOT / checklist.TABLE).read_text(encoding="utf-8"))
    assert [row.n for row in rows if not row.tests] == []
