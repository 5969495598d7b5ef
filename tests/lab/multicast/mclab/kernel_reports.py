"""What a place's own kernel reports, told from what programs there send past it, or kept from leaving at all."""

from __future__ import annotations

from hearthlab.namespace import Namespace

from .tap import Seen, Tap

_MARK = 0x08 << 2  # as the traffic class octet: class selector 1


def _rules(verdict4: str, verdict6: str) -> str:
    return (
        "table inet reports {\n chain out {\n  type filter hook output priority mangle\n"
        f"  meta l4proto igmp {verdict4}\n  icmpv6 type {{ 131, 132, 143 }} {verdict6}\n }}\n}}\n"
    )


def mark_kernel_reports(space: Namespace) -> None:
    """From now on they carry a mark of their own. Packet sockets send past these rules."""
    space.nft(_rules("ip dscp set cs1", "ip6 dscp set cs1"))


def silence_kernel(space: Namespace) -> None:
    """From now on its reports and leaves do not get out."""
    space.nft(_rules("drop", "drop"))


def is_marked(tap: Tap, seen: Seen) -> bool:
    frame = next(frame for frame in tap.frames if frame.seen_ns == seen.seen_ns)
    if frame.octets[12:14] == b"\x08\x00":
        return frame.octets[15] & 0xFC == _MARK
    return ((frame.octets[14] & 0x0F) << 4 | frame.octets[15] >> 4) & 0xFC == _MARK
