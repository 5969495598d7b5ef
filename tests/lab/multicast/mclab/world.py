"""One raised multicast world with everything that a test starts in it, taken down whatever happens."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hearthlab.namespace import Namespace, prefix
from hearthlab.program import binaries
from hearthlab.service import ROOT

from .away import Away
from .box import Box
from .groups import sources, wanted_sources
from .inject import Injector
from .tap import Tap
from .topology import Edge, MulticastTopology
from .traffic import Listener, Stream


class MulticastWorld:
    """`folder` is where programs write. Everything opened through this object is closed by `down`, the last first."""

    def __init__(self, edge: Edge = Edge.SNOOPING) -> None:
        self.topology = MulticastTopology(prefix("hcm-"), edge)
        self.folder = Path(tempfile.mkdtemp(prefix="hearthcast-mclab-"))
        self.folder.chmod(0o755)
        self._bin: Path | None = None
        self._endings: list[Callable[[], object]] = []
        self.logs: dict[str, Callable[[], str]] = {}

    def up(self) -> None:
        self.topology.up()

    def __getitem__(self, name: str) -> Namespace:
        return self.topology[name]

    def ending(self, call: Callable[[], object]) -> None:
        """`call` is made when the world goes down."""
        self._endings.append(call)

    def stream(self, group: str, source: str, *, space: str = "provider", **options: object) -> Stream:
        stream = Stream(self[space], source, group, **options)  # type: ignore[arg-type]
        self.ending(stream.stop)
        return stream

    def listener(self, space: str, group: str, *sources: str, **options: object) -> Listener:
        listener = Listener(self[space], group, *sources, **options)  # type: ignore[arg-type]
        self.ending(listener.leave)
        return listener

    def streams(self, groups: Iterable[str], **options: object) -> dict[str, Stream]:
        """From the first source of each."""
        return {group: self.stream(group, sources(group)[0], **options) for group in groups}

    def watching(self, space: str, groups: Iterable[str]) -> list[Listener]:
        """A listener to each of them, that has heard its first packet."""
        listeners = [self.listener(space, group, *wanted_sources(group)) for group in groups]
        for listener in listeners:
            listener.wait_for_first()
        return listeners

    def tap(self, space: str, interface: str) -> Tap:
        tap = Tap(self[space], interface)
        self.ending(tap.close)
        return tap

    def injector(self, space: str, interface: str = "eth0") -> Injector:
        injector = Injector(self[space], interface)
        self.ending(injector.close)
        return injector

    def binary(self, name: str) -> Path:
        if self._bin is None:
            self._bin = binaries(ROOT, self.folder / "bin", ("hearthcast-box", "hearthcast-netd", "hearthcast-away"))
        return self._bin / name

    def box(
        self, *instances: dict[str, Any], place: str = "box", serving: bool = True, settings: dict[str, Any] | None = None,
        wrapper: tuple[str, ...] | None = None,
    ) -> Box:
        """A running box with these instances, in the place of the proxy or another. `serving`: wait until it does."""
        folder = self.folder / f"{place}-program"
        box = Box(self[place], self.binary("hearthcast-box"), folder, *instances, settings=settings, wrapper=wrapper)
        self.logs[place] = box.program.log
        self.ending(box.stop)
        box.start(serving=serving)
        return box

    def away(self, box: Box, place: str = "room") -> Away:
        """A device of this box, connected or about to be."""
        away = Away(self[place], self.binary("hearthcast-away"), self.folder / f"{place}-away")
        self.logs[f"{place}-away"] = away.program.log
        self.ending(away.program.stop)
        away.pair(box.program)
        return away

    def down(self) -> None:
        for end in reversed(self._endings):
            with contextlib.suppress(Exception):
                end()
        self.topology.down()
        shutil.rmtree(self.folder, ignore_errors=True)
