"""The multicast plane's own small world: networks, senders, listeners, taps, and programs that are not ours."""
