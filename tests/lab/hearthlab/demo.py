"""The demo: a television channel travels from a provider's multicast to a laptop away, and every claim is checked.

`python3 -m hearthlab.demo [--check]`. With --check it runs unattended and ends; without, it keeps playing, with the web
UI and the playlist reachable from this machine, until Ctrl-C. Leaves report.json and snapshot.png in build/demo/.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from pathlib import Path

from . import snapshot
from .channels import ALL, ONE, TWO, Channel
from .doorway import Doorway
from .namespace import prefix
from .player import Player
from .report import Report, live
from .service import ROOT
from .viewing import Viewing, watch
from .waiting import until
from .world import AWAY_PORT, Away, World

PACKETS = 6000  # of each family: eight seconds
OUTPUT = ROOT / "build" / "demo"
_SILENT_AFTER_S = 5
_WEB_PORT = 8871


class Demo:
    """The steps in their order. Each raises when what it claims is not so."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.world: World
        self.away: Away
        self._device = 0

    def raise_the_lab(self) -> None:
        with self._report.step("Raising a provider, a home, an Internet and a laptop away") as step:
            self.world = World(prefix("hcd-"))
            self.world.topology.up()
            step.detail = "home and laptop each behind a port-restricted NAT; the box has one Ethernet port"

    def start_provider(self) -> None:
        with self._report.step("The provider sends its channels") as step:
            self.world.start_provider()
            time.sleep(1)
            heard = sum(self.world.observer.packets(channel) for channel in ALL)
            if heard:
                raise AssertionError(f"{heard} packets came into the home though nobody asked for them")
            step.detail = f"{len(ALL)} channels of 8 Mbit/s; none of them is on the home LAN, since nobody asked yet"
            if self.world.failed_raisings:
                step.detail += f" (the lab was raised {len(self.world.failed_raisings) + 1} times: its edge passed nothing)"

    def start_programs(self) -> None:
        with self._report.step("Starting the rendezvous, the box at home and the client on the laptop") as step:
            self.world.start_rendezvous()
            self.world.start_box()
            self.away = self.world.new_away("away")
            step.detail = self.world.box.ask("status")["rendezvous"]["text"]

    def import_playlist(self) -> None:
        with self._report.step("The owner imports the provider's playlist") as step:
            report = self.world.import_provider_playlist()
            if report["added"] != len(ALL) or report["failed"]:
                raise AssertionError(f"the import answered {report}")
            step.detail = f"{report['added']} channels: " + ", ".join(channel.name for channel in ALL)

    def pair(self) -> None:
        with self._report.step("The laptop pairs by the box's link, and the owner approves it") as step:
            self._device = self.world.pair(self.away)
            fingerprint = self.world.device(self._device)["fingerprint"]
            self.world.approve(self._device)
            for channel in ALL:
                self.away.path_of(channel)
            step.detail = f"fingerprint {fingerprint} on both screens; the channel list came through the tunnel"

    def path(self) -> None:
        with self._report.step("Finding a path through both NATs") as step:
            device = until(
                lambda: (lambda found: found if found["connected"] else None)(self.world.device(self._device)),
                "the laptop connected to the box",
            )
            step.detail = f"{device['path']}: the box sends to {device['address']}, nothing in between but the NATs"

    def play(self, family: str, channel: Channel) -> Viewing:
        with self._report.step(f"Playing {channel.name} ({family}) on the laptop") as step:
            viewing = watch(self.world, self.away, channel, PACKETS)
            figures = {**viewing.figures, "path": self.world.device(self._device).get("path", "")}
            self._report.media[family.lower()] = figures
            step.detail = in_words(figures)
            if not viewing.faultless:
                raise AssertionError(step.detail)
            if (figures["codec_video"], figures["codec_audio"]) != ("h264", "aac"):
                raise AssertionError(f"ffprobe sees {figures['codec_video']!r} and {figures['codec_audio']!r}")
        return viewing

    def picture(self, viewing: Viewing) -> None:
        with self._report.step("Reading the frame number back from a picture that arrived") as step:
            shot = snapshot.take(self.world.service.film(viewing.channel), viewing.data)
            shot.save(OUTPUT / "snapshot.png")
            step.detail = f"the pixels say {shot.number}, the stream's clock {shot.expected}; build/demo/snapshot.png"
            if shot.number is None or not shot.is_the_providers:
                raise AssertionError(step.detail)

    def silence(self) -> None:
        with self._report.step("The last player left: the provider's edge closes") as step:
            time.sleep(_SILENT_AFTER_S)
            before = [self.world.observer.packets(channel) for channel in ALL]
            time.sleep(1)
            after = [self.world.observer.packets(channel) for channel in ALL]
            if before != after:
                raise AssertionError(f"{sum(after) - sum(before)} packets came in the sixth second after the last left")
            step.detail = f"no packet of any channel is on the home LAN {_SILENT_AFTER_S} s later"

    def run(self) -> None:
        self.raise_the_lab()
        self.start_provider()
        self.start_programs()
        self.import_playlist()
        self.pair()
        self.path()
        viewing = self.play("IPv6", ONE)
        self.play("IPv4", TWO)
        self.picture(viewing)
        self.silence()

    def go_on(self) -> None:
        """Keeps a player running and the doors open until Ctrl-C."""
        web = Doorway(self.world.topology["box"], ("127.0.0.1", _WEB_PORT))
        players = Doorway(self.world.topology["laptop"], ("127.0.0.1", AWAY_PORT))
        print("\nIt goes on until Ctrl-C. From this machine:")
        print(f"  the box's web UI      https://127.0.0.1:{web.port}/   (set-up code {self._setup_code()})")
        print(f"  the laptop's playlist http://127.0.0.1:{players.port}/playlist.m3u   (vlc, mpv, ffplay)")
        with contextlib.suppress(KeyboardInterrupt):
            player = self.away.playing(ONE)
            octets, moment = player.octets(), time.monotonic()
            while not player.ended.is_set():
                time.sleep(1)
                now = player.octets()
                rate = (now - octets) * 8 / 1e6 / (time.monotonic() - moment)
                live(f"{ONE.name}: {rate:.2f} Mbit/s, {now / 1e6:.0f} MB, path {self._path()}")
                octets, moment = now, time.monotonic()
        print()

    def _setup_code(self) -> str:
        return str(self.world.box.ask("setup-code")["setup_code"])

    def _path(self) -> str:
        return str(self.world.device(self._device).get("path", "none"))


def in_words(figures: dict[str, object]) -> str:
    late = figures["added_delay_us"]
    delay = ""
    if isinstance(late, dict):
        delay = f", {late['p50'] / 1000:.2f} ms after the provider sent it (99 %: {late['p99'] / 1000:.2f} ms)"
    return (
        f"{figures['packets_received']} packets, {figures['packets_lost']} lost, "
        f"{figures['continuity_errors']} continuity errors, octets "
        f"{'equal' if figures['bytes_equal'] else 'NOT equal'}; {figures['codec_video']} and {figures['codec_audio']}; "
        f"first picture after {figures['first_picture_ms']} ms{delay}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./hearth demo", description="Plays a real channel from a provider through a box at home to a laptop away."
    )
    parser.add_argument("--check", action="store_true", help="run unattended, end, and fail when a step failed")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in ("report.json", "snapshot.png"):
        Path(OUTPUT, name).unlink(missing_ok=True)
    report = Report()
    demo = Demo(report)
    try:
        demo.run()
        report.write(OUTPUT / "report.json")
        if not options.check:
            demo.go_on()
    except KeyboardInterrupt:
        print("\nEnded by hand.")
    except Exception as error:  # noqa: BLE001: the report is what says what went wrong
        print(f"\nThe demo failed: {error}\n", file=sys.stderr)
        if hasattr(demo, "world"):
            print(demo.world.logs(), file=sys.stderr)
    finally:
        report.write(OUTPUT / "report.json")
        if hasattr(demo, "world"):
            demo.world.down()
    print(f"{'Every step worked' if report.ok else 'A step failed'}; the report is build/demo/report.json")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
