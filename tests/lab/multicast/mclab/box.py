"""hearthcast-box as a multicast proxy in one of the lab's places: its settings, its start, and what it shows of itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from hearthlab import control
from hearthlab.namespace import Namespace
from hearthlab.program import Program
from hearthlab.waiting import until

# Faster than the standards' defaults, so that what waits for a timer ends in seconds.
QUERY_INTERVAL_S, RESPONSE_S, LAST_LISTENER_S, ROBUSTNESS = 4, 1.0, 0.2, 2
LEAVE_S = LAST_LISTENER_S * ROBUSTNESS  # last listener query time
OTHER_QUERIER_S = QUERY_INTERVAL_S * ROBUSTNESS + RESPONSE_S / 2


def tv(**changes: Any) -> dict[str, Any]:
    """An instance from the first upstream to the LAN; `changes` are keys of `[[multicast]]`."""
    return {
        "name": "tv", "upstream": ["up0"], "downstream": ["lan0"],
        "query_interval_s": QUERY_INTERVAL_S, "query_response_ms": int(RESPONSE_S * 1000),
        "last_listener_query_ms": int(LAST_LISTENER_S * 1000), "robustness": ROBUSTNESS, **changes,
    }


def family_name(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"


class Box:
    """One box with its instances. `start` returns when every interface that is there is served, or at least it answers."""

    def __init__(
        self, space: Namespace, binary: Path, folder: Path, *instances: dict[str, Any], settings: dict[str, Any] | None = None,
        wrapper: tuple[str, ...] | None = None,
    ) -> None:
        """`wrapper`: the box is started by it and without root, so the wrapper has to bring the helper."""
        self.space = space
        self._settings = {"name": "Home", "log": {"level": "debug"}, **(settings or {})}
        self.instances = list(instances)
        self.program = Program(space, binary, folder, self._whole(), unprivileged=wrapper is not None, wrapper=wrapper or ())

    def _whole(self) -> dict[str, Any]:
        return {**self._settings, **({"multicast": self.instances} if self.instances else {})}

    def start(self, *, serving: bool = True) -> None:
        self.program.start()
        if serving:
            self.wait_until_serving()
        else:
            until(self.show, "the box's control socket", timeout=30, pause=0.02)

    def wait_until_serving(self) -> None:
        """An interface that the namespace does not have is not waited for."""
        links = json.loads(self.space.run("ip", "-j", "link", "show"))
        there = {link["ifname"] for link in links}

        def serving() -> bool:
            shown = self.show()["instance"]
            if len(shown) != len(self.instances):
                return False
            links = [link for instance in shown for side in ("upstream_interface", "downstream_interface") for link in instance[side]]
            if any(link["state"] != "up" for link in links if link["interface_name"] in there):
                return False
            routers = [
                router for instance in shown for link in instance["downstream_interface"] for router in link["families"]
                if link["state"] == "up"
            ]
            return bool(routers) and all("querier" in router for router in routers)

        until(serving, "the box serving its links", timeout=30, pause=0.02)

    def reload(self, *instances: dict[str, Any]) -> None:
        """Replaces the instances in the settings file and has the running box read it."""
        self.instances = list(instances)
        self.program.write_settings(self._whole())
        self.program.call("reload")

    def stop(self) -> None:
        self.program.stop()

    def show(self) -> dict[str, Any]:
        """What `multicast show --json` prints. Tests look often."""
        return dict(control.ask(self.program.control_socket, "GET", "/api/v1/multicast"))

    def instance(self, name: str = "tv") -> dict[str, Any]:
        return next(instance for instance in self.show()["instance"] if instance["name"] == name)

    def interface(self, name: str) -> dict[str, Any]:
        """An up- or downstream interface as it is shown."""
        for instance in self.show()["instance"]:
            for link in instance["upstream_interface"] + instance["downstream_interface"]:
                if link["interface_name"] == name:
                    return link
        raise LookupError(name)

    def router(self, family: str, interface: str = "lan0") -> dict[str, Any]:
        """The router's side of one family on a downstream, "ipv4" or "ipv6"."""
        return next(router for router in self.interface(interface)["families"] if router["family"] == family)

    def membership(self, group: str, interface: str = "lan0") -> dict[str, Any] | None:
        """What is known of a group on a downstream; None when nobody there wants it."""
        groups = self.router(family_name(group), interface)["group"]
        return next((entry for entry in groups if entry["group_address"] == group), None)

    def group(self, group: str, instance: str = "tv") -> dict[str, Any] | None:
        """A group as the whole instance sees it: merged, with its upstreams and downstreams."""
        return next((entry for entry in self.instance(instance)["group"] if entry["group_address"] == group), None)

    def routes(self, group: str, instance: str = "tv") -> list[dict[str, Any]]:
        return [route for route in self.instance(instance)["route"] if route["group_address"] == group]

    def drops(self, family: str, interface: str = "lan0") -> dict[str, int]:
        return dict(self.router(family, interface)["drops"])

    def findings(self, instance: str = "tv") -> dict[str, str]:
        """The diagnosis: the text by its code."""
        return {row["code"]: row["text"] for row in self.instance(instance)["diagnosis"]}

    def kernel_routes(self) -> str:
        """What the kernel would forward, of all tables and both families."""
        return "".join(
            self.space.run("ip", family, "mroute", "show", "table", "all", check=False) for family in ("-4", "-6")
        )

    def remove_files(self) -> None:
        shutil.rmtree(self.program.folder, ignore_errors=True)
