"""Players at home, that open the box's LAN link over plain HTTP."""

from __future__ import annotations

from .channels import Channel
from .namespace import Namespace
from .player import Answer, Player, get, playing
from .topology import BOX_IP4
from .world import World

LAN_PORT = 8872


class LanLink:
    """The LAN link of a device, as used from the computer at home."""

    def __init__(self, world: World, device: int, address: str = BOX_IP4) -> None:
        self.device = device
        self.address = address
        self._world = world
        self.space: Namespace = world.topology["homepc"]
        made = world.box.ask("lan-link", str(device))
        self.urls: list[str] = made["urls"]
        self.path: str = made["path"]
        self.token = self.path.split("/")[2]

    def path_of(self, channel: Channel) -> str:
        """As a person would write it from the channel's own address."""
        scheme, _, rest = channel.url.partition("://")
        return f"/lan/{self.token}/{scheme}/{rest}"

    def url_of(self, channel: Channel) -> str:
        return f"http://{self.address}:{LAN_PORT}{self.path_of(channel)}"

    def get(self, path: str) -> Answer:
        """Of a path below the token, or of a whole one."""
        whole = path if path.startswith("/") else f"/lan/{self.token}/{path}"
        return get(self.space, self.address, LAN_PORT, whole)

    def play(self, channel: Channel, *, stalled: bool = False) -> Player:
        return Player(self.space, self.address, LAN_PORT, self.path_of(channel), stalled=stalled)

    def playing(self, channel: Channel, octets: int = 200_000, timeout: float = 60) -> Player:
        return playing(lambda: self.play(channel), f"a player at home with {channel.name}", octets, timeout)

    def playlist(self) -> dict[str, str]:
        """Address of each channel by its name."""
        lines = self.get("playlist.m3u").text.splitlines()
        names = [line.split(",", 1)[1].strip() for line in lines if line.startswith("#EXTINF")]
        return dict(zip(names, (line for line in lines if line and not line.startswith("#"))))


def sockets_of(world: World, channel: Channel) -> int:
    """How many of the box's sockets receive the channel."""
    group = f"[{channel.group}]" if channel.is_ipv6 else channel.group
    listing = world.box.space.run("ss", "-Huan")
    return sum(line.split()[3].split("%")[0].startswith(group) for line in listing.splitlines())
