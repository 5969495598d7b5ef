"""Counting a channel's packets on the cable from the provider's edge into the home, in the kernel and at no cost."""

from __future__ import annotations

import json

from .channels import Channel
from .topology import Topology


class Observer:
    """Counters on the port of the home's switch that faces the edge. They see what reaches the home, wanted or not."""

    def __init__(self, topology: Topology, channels: tuple[Channel, ...]) -> None:
        self._space = topology["lan"]
        self._counters = {channel.name: f"channel{at}" for at, channel in enumerate(channels)}
        rules = "\n".join(
            f"    {'ip6' if channel.is_ipv6 else 'ip'} daddr {channel.group} counter name {counter}"
            for channel, counter in zip(channels, self._counters.values())
        )
        declared = "\n".join(f"  counter {name} {{ }}" for name in self._counters.values())
        self._space.nft(
            "table netdev observer\ndelete table netdev observer\n"
            f"table netdev observer {{\n{declared}\n  chain arriving {{\n"
            f'    type filter hook ingress device "edge" priority 0;\n{rules}\n  }}\n}}\n'
        )

    def packets(self, channel: Channel) -> int:
        listing = json.loads(self._space.run("nft", "-j", "list", "counters", "table", "netdev", "observer"))
        for item in listing["nftables"]:
            counter = item.get("counter")
            if counter and counter["name"] == self._counters[channel.name]:
                return int(counter["packets"])
        raise LookupError(channel.name)
