"""A device away beside the multicast proxy: hearthcast-away in a network of its own below the box, paired over it."""

from __future__ import annotations

from pathlib import Path

from hearthlab.namespace import Namespace
from hearthlab.player import Player, get
from hearthlab.program import Program
from hearthlab.waiting import until

PORT = 8870


class Away:
    """Started and paired by `pair`, approved for every channel that the box has."""

    def __init__(self, space: Namespace, binary: Path, folder: Path) -> None:
        self.space = space
        self.program = Program(
            space, binary, folder, {"http": {"listen": f"127.0.0.1:{PORT}"}, "log": {"level": "debug"}}, unprivileged=True
        )

    def pair(self, box: Program) -> int:
        """The device's number at the box."""
        self.program.start()
        until(lambda: self.program.ask("status"), "the away client's control socket")
        self.program.call("pair", box.ask("pair")["link"])
        device = int(until(lambda: box.ask("devices")["devices"], "the new device")[-1]["id"])
        box.call("approve", str(device), "--channels", "all")
        return device

    def paths(self) -> dict[str, str]:
        """Of each channel by its name, as a player reads the playlist."""
        lines = get(self.space, "127.0.0.1", PORT, "/playlist.m3u").text.splitlines()
        names = [line.split(",", 1)[1].strip() for line in lines if line.startswith("#EXTINF")]
        urls = [line for line in lines if line and not line.startswith("#")]
        return {name: "/" + url.split("/", 3)[3] for name, url in zip(names, urls)}

    def play(self, name: str, timeout: float = 60) -> Player:
        """A player that asks at once, when the channel is in the playlist."""
        path = until(lambda: self.paths().get(name), f"{name} in the away playlist", timeout)
        return Player(self.space, "127.0.0.1", PORT, path)


def channel_url(group: str, source: str, port: int) -> str:
    """As a playlist has it."""
    return f"udp://[{source}]@[{group}]:{port}" if ":" in group else f"udp://{source}@{group}:{port}"


def import_channels(box: Program, folder: Path, channels: dict[str, str]) -> None:
    """Gives the box's catalogue channels: URLs by name."""
    playlist = folder / "playlist.m3u"
    lines = [line for name, url in channels.items() for line in (f"#EXTINF:-1,{name}", url)]
    playlist.write_text("\n".join(("#EXTM3U", *lines, "")), encoding="utf-8")
    box.ask("import", str(playlist))
