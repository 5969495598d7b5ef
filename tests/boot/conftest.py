"""The machine that systemd boots, with the packages installed, for all tests of a file in their order: they tell one story."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from hearthlab.namespace import prefix  # noqa: E402
from machine import HELPERS, SERVICES, CannotBoot, Machine, packages  # noqa: E402


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Booted, the packages not yet installed. A system call that a unit's filter refuses kills the program here, so that none is missed."""
    if os.geteuid() != 0 or not packages():
        pytest.skip("needs root, and the packages that `./hearth package` builds")
    with tempfile.TemporaryDirectory(prefix="hearthcast-boot-") as folder:
        machine = Machine(prefix("hcu-"), Path(folder))
        try:
            machine.make()
            for path in packages():
                (machine.tree / "srv" / path.name).write_bytes(path.read_bytes())
            for unit in (*SERVICES, *(f"{helper}@" for helper in HELPERS)):
                machine.write(f"/etc/systemd/system/{unit}.service.d/denied.conf", "[Service]\nSystemCallErrorNumber=kill\n")
            for unit in ("hearthcast-away", "hearthcast-away-netd@"):
                machine.write(f"/etc/systemd/system/{unit}.service.d/laptop.conf", "[Service]\nNetworkNamespacePath=/mnt/laptop\n")
            try:
                machine.boot()
            except CannotBoot as error:
                pytest.skip(f"this machine boots no systemd: {error}")
            yield machine
        finally:
            machine.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure's report has the end of the machine's journal."""
    report = (yield).get_result()  # type: ignore[misc]
    machine = getattr(item, "funcargs", {}).get("machine")
    if report.when == "call" and report.failed and machine is not None:
        with contextlib.suppress(Exception):  # it may not run
            report.sections.append(("journal", "\n".join(machine.journal("-n", "60"))))
