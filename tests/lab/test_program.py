"""Settings are written as TOML that reads back as what was meant."""

from __future__ import annotations

import tomllib

import pytest
from hearthlab.program import toml


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "Home", "count": 3, "on": True},
        {"log": {"level": "debug"}, "name": "Ho\"me"},
        {"multicast": [{"name": "tv", "upstream": ["up0", "up1"], "rule": [{"verdict": "deny"}, {"group": "239.0.0.0/8"}]}, {"name": "second"}]},
        {"multicast": [{"link": [{"interface": "lan0"}], "name": "after a table"}], "http": {"on": False}, "last": 1},
        {"empty": [], "nested": {"deeper": {"deepest": 1}}},
    ],
)
def test_toml_reads_back(settings: dict[str, object]) -> None:
    assert tomllib.loads(toml(settings)) == settings
