"""What the lab's own tests share: one raised lab with a sending provider."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hearthlab.channels import ALL  # noqa: E402
from hearthlab.namespace import prefix  # noqa: E402
from hearthlab.observer import Observer  # noqa: E402
from hearthlab.service import Service  # noqa: E402
from hearthlab.topology import Topology  # noqa: E402


@pytest.fixture(scope="session")
def topology() -> Iterator[Topology]:
    lab = Topology(prefix("hcl-"))
    lab.up()
    yield lab
    lab.down()


@pytest.fixture(scope="session")
def service(topology: Topology, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    provider = Service(topology, tmp_path_factory.mktemp("provider"))
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def observer(topology: Topology) -> Observer:
    return Observer(topology, ALL)
