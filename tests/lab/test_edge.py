"""The provider's edge passes a channel into the home only while somebody there listens."""

from __future__ import annotations

import time

from hearthlab.channels import ALL, FOUR, ONE
from hearthlab.comparison import compare
from hearthlab.listener import Listener
from hearthlab.observer import Observer
from hearthlab.service import Service
from hearthlab.topology import Topology

WANTED = 500


def while_more_is_sent(service: Service) -> None:
    """Lets the provider send a good number of datagrams on every channel."""
    goals = {channel: len(service.sent_ns(channel)) + WANTED for channel in ALL}
    while any(len(service.sent_ns(channel)) < goal for channel, goal in goals.items()):
        time.sleep(0.05)


def test_edge_opens_on_join_and_closes_after_leave(topology: Topology, service: Service, observer: Observer) -> None:
    """Four kinds at once: IPv6 and IPv4, with a source and with any."""
    before = [observer.packets(channel) for channel in ALL]
    while_more_is_sent(service)
    assert [observer.packets(channel) for channel in ALL] == before, "a group is in the home though nobody asked for it"

    listeners = [Listener(topology["homepc"], channel) for channel in ALL]
    try:
        for listener in listeners:
            listener.wait_for(WANTED)
    finally:
        for listener in listeners:
            listener.close()
    for listener in listeners:
        result = compare(service.film(listener.channel), listener.data())
        assert result.bytes_equal, listener.channel
        assert result.continuity_errors == 0

    time.sleep(5)
    after_leave = [observer.packets(channel) for channel in ALL]
    while_more_is_sent(service)
    assert [observer.packets(channel) for channel in ALL] == after_leave, "a group still comes 5 s after the last left"


def test_edge_opens_for_the_group_that_was_asked_for_alone(
    topology: Topology, service: Service, observer: Observer
) -> None:
    before = observer.packets(FOUR)
    listener = Listener(topology["homepc"], ONE)
    try:
        listener.wait_for(WANTED)
    finally:
        listener.close()
    assert observer.packets(FOUR) == before
