"""The channels of the multicast tests: each family once from a named source and once from any."""

from __future__ import annotations

from .topology import SOURCES4, SOURCES6

ONE6, ANY6, ONE4, ANY4 = "ff3e::8000:1", "ff1e::8000:4", "232.10.10.3", "239.10.10.2"
ALL = (ONE6, ANY6, ONE4, ANY4)
ANY = (ANY6, ANY4)


def sources(group: str) -> tuple[str, ...]:
    """The provider's addresses that may send to it."""
    return SOURCES6 if ":" in group else SOURCES4


def wanted_sources(group: str) -> tuple[str, ...]:
    """What a listener names: the sender for a source-specific group, else nobody."""
    return sources(group)[:1] if group in (ONE6, ONE4) else ()
