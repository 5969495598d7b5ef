"""The demo's report says of every step whether it worked, and ends with the first that did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hearthlab.report import Report


def test_steps_that_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    with report.step("Lighting the fire") as step:
        step.detail = "it burns"
    report.media["ipv6"] = {"packets_lost": 0}
    report.write(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert content["ok"] is True
    assert content["steps"] == [{"name": "Lighting the fire", "ok": True, "detail": "it burns"}]
    assert content["media"]["ipv6"]["packets_lost"] == 0
    shown = capsys.readouterr().out
    assert "Lighting the fire: done" in shown
    assert "\033" not in shown, "no colours where nobody looks"


def test_step_that_fails(tmp_path: Path) -> None:
    report = Report()
    with pytest.raises(AssertionError), report.step("Lighting the fire"):
        raise AssertionError("the wood is wet")
    report.write(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert content["ok"] is False
    assert content["steps"][0]["detail"] == "AssertionError: the wood is wet"


def test_report_without_steps_is_no_success() -> None:
    assert not Report().ok
