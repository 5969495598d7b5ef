"""Eight viewers on four channels lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hearthlab.channels import ALL
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.player import Player
from hearthlab.world import Away, World

VIEWERS = 8
WANTED = 5000 * DATAGRAM


def test_eight_viewers_on_four_channels_lose_nothing(world: World) -> None:
    viewers: list[Away] = []
    for number in range(VIEWERS):
        # Six laptops away, two devices at home: both ways in at once.
        place = "laptop" if number < 6 else "homepc"
        viewer = world.new_away(f"viewer-{number}", place, 8870 + number)
        world.approve(world.pair(viewer))
        viewers.append(viewer)
    watched = [ALL[number % len(ALL)] for number in range(VIEWERS)]
    players: list[Player] = []
    try:
        with ThreadPoolExecutor(VIEWERS) as pool:
            players = list(pool.map(lambda pair: pair[0].playing(pair[1]), zip(viewers, watched)))
        for player in players:
            player.wait_for_octets(WANTED, timeout=120)
        results = [
            compare(world.service.film(channel), player.data()) for channel, player in zip(watched, players)
        ]
        assert all(result.bytes_equal for result in results), results
        assert all(result.continuity_errors == 0 for result in results)
        devices = world.box.ask("devices")["devices"]
        assert [device["connected"] for device in devices] == [True] * VIEWERS
    finally:
        for player in players:
            player.close()
