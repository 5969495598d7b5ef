"""One channel watched away for a while: its figures, checked against what the provider sent."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import numpy

from . import measure
from .channels import Channel
from .comparison import Comparison, compare
from .film import DATAGRAM
from .player import Player
from .report import live
from .world import Away, World


@dataclass(frozen=True)
class Viewing:
    """What came, and what is to be said about it. Packets are the provider's datagrams."""

    channel: Channel
    comparison: Comparison
    data: bytes
    figures: dict[str, Any]

    @property
    def faultless(self) -> bool:
        return self.comparison.bytes_equal and self.comparison.continuity_errors == 0


def watch(world: World, away: Away, channel: Channel, packets: int) -> Viewing:
    """Plays a channel until so many datagrams came."""
    path = away.path_of(channel)
    player = Player(away.space, "127.0.0.1", away.port, path)
    try:
        status = player.wait_for_head()
        if status != 200:
            player.ended.wait(5)
            raise RuntimeError(f"{channel.name}: the client answered {status}: {player.tail()}")
        _show_live(player, packets)
        data, arrivals = player.data(), player.arrivals()
    finally:
        player.close()
    comparison = compare(world.service.film(channel), data)
    return Viewing(channel, comparison, data, _figures(world, player, channel, comparison, data, arrivals))


def _show_live(player: Player, packets: int) -> None:
    deadline = time.monotonic() + 60 + packets / 500
    before, moment = player.octets(), time.monotonic()
    while player.octets() < packets * DATAGRAM:
        time.sleep(0.25)
        if player.ended.is_set() or time.monotonic() > deadline:
            raise TimeoutError(f"{player.octets() // DATAGRAM} of {packets} packets came")
        now, octets = time.monotonic(), player.octets()
        live(f"{octets // DATAGRAM} packets, {(octets - before) * 8 / 1e6 / (now - moment):.2f} Mbit/s")
        before, moment = octets, now


def _figures(
    world: World, player: Player, channel: Channel, comparison: Comparison, data: bytes, arrivals: list[tuple[int, int]]
) -> dict[str, Any]:
    codecs = probe(data)
    picture_end = measure.first_picture_end(data)
    picture_ns = measure.arrival_ns(arrivals, numpy.array([picture_end]))[0] if picture_end else None
    late = measure.delay(comparison, arrivals, world.service.sent_ns(channel)) if comparison.bytes_equal else None
    received = comparison.received // (DATAGRAM // 188)
    lost = -(-comparison.lost // (DATAGRAM // 188))
    return {
        "channel": channel.name,
        "url": channel.url,
        "packets_sent": received + lost,
        "packets_received": received,
        "packets_lost": lost,
        "continuity_errors": comparison.continuity_errors,
        "bytes_equal": comparison.bytes_equal,
        "bytes_compared": comparison.received * 188,
        "codec_video": codecs.get("video", ""),
        "codec_audio": codecs.get("audio", ""),
        "first_byte_ms": round((arrivals[0][1] - player.requested_ns) / 1e6, 1),
        "first_picture_ms": None if picture_ns is None else round((int(picture_ns) - player.requested_ns) / 1e6, 1),
        # From the provider's send call to the player's read, the whole way; nothing is subtracted.
        "added_delay_us": late.as_dict() if late else None,
    }


def probe(data: bytes) -> dict[str, str]:
    """The codecs of a stream by kind, as ffprobe names them."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name", "-of", "json", "-f", "mpegts", "-"],
        input=data[:4_000_000], capture_output=True, check=False, timeout=60,
    )
    streams = json.loads(done.stdout or b"{}").get("streams", [])
    return {stream["codec_type"]: stream["codec_name"] for stream in streams}
