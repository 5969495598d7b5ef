"""The provider's channels: one of each kind that the product must carry."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .topology import PROVIDER_IP4, PROVIDER_IP6


@dataclass(frozen=True)
class Channel:
    """One service of the provider. Without `source` a listener may not name one; the packets come from it anyway."""

    name: str
    group: str
    port: int
    source: str | None = None
    rtp: bool = False

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.group

    @property
    def sender(self) -> str:
        return PROVIDER_IP6 if self.is_ipv6 else PROVIDER_IP4

    @property
    def url(self) -> str:
        group, source = self.group, self.source or ""
        if self.is_ipv6:
            group = f"[{group}]"
            source = f"[{source}]" if source else ""
        return f"{'rtp' if self.rtp else 'udp'}://{source}@{group}:{self.port}"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


ONE = Channel("Hearth One", "ff3e::8000:1", 5000, source=PROVIDER_IP6)
TWO = Channel("Hearth Two", "239.10.10.2", 5000)
THREE = Channel("Hearth Three", "232.10.10.3", 5004, source=PROVIDER_IP4, rtp=True)
FOUR = Channel("Hearth Four", "ff1e::8000:4", 5000)
ALL = (ONE, TWO, THREE, FOUR)


def playlist(channels: tuple[Channel, ...] = ALL) -> str:
    """The M3U that the provider hands to its customers."""
    lines = ["#EXTM3U"]
    for number, channel in enumerate(channels, start=1):
        lines += [f'#EXTINF:-1 tvg-chno="{number}" group-title="Lab",{channel.name}', channel.url]
    return "\n".join(lines) + "\n"
