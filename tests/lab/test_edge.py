"""The provider's edge passes a channel into the home only while somebody there listens."""

from __future__ import annotations

import time

import pytest
from hearthlab.channels import ALL, Channel
from hearthlab.comparison import compare
from hearthlab.listener import Listener
from hearthlab.observer import Observer
from hearthlab.service import Service
from hearthlab.topology import Topology

WANTED = 500


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
def test_edge_opens_on_join_and_closes_after_leave(
    topology: Topology, service: Service, observer: Observer, channel: Channel
) -> None:
    before = observer.packets(channel)
    sent = len(service.sent_ns(channel))
    while len(service.sent_ns(channel)) < sent + WANTED:
        time.sleep(0.05)
    assert observer.packets(channel) == before, "the group is on the home LAN though nobody asked for it"

    listener = Listener(topology["homepc"], channel)
    try:
        listener.wait_for(WANTED)
    finally:
        listener.close()
    result = compare(service.film(channel), listener.data())
    assert result.bytes_equal
    assert result.continuity_errors == 0

    time.sleep(5)
    after_leave = observer.packets(channel)
    sent = len(service.sent_ns(channel))
    while len(service.sent_ns(channel)) < sent + WANTED:
        time.sleep(0.05)
    assert observer.packets(channel) == after_leave, "the group still arrives 5 s after the last listener left"
