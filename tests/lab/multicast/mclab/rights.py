"""Starting a box with the rights that the packages give it."""

from __future__ import annotations

from pathlib import Path

# What hearthcast-netd.socket and hearthcast-netd@.service say, for one program: a socket that only its group may use, a
# helper for each connection, and for the helper two capabilities and no way to more. The box itself then is started as
# another user, with nothing. `ip netns exec` gives each program mounts of its own, so /run is only theirs.
LIKE_THE_UNITS = """
set -e
mount -t tmpfs tmpfs /run
mkdir /run/hearthcast
helper=$1
shift
(umask 0777; exec systemd-socket-activate --accept --seqpacket --listen=/run/hearthcast/netd.sock setpriv --reuid=65533 \
  --regid=65533 --clear-groups --inh-caps=-all,+net_admin,+net_raw --ambient-caps=-all,+net_admin,+net_raw \
  --bounding-set=-all,+net_admin,+net_raw --no-new-privs "$helper") &
until [ -S /run/hearthcast/netd.sock ]; do sleep 0.02; done
chgrp 65534 /run/hearthcast/netd.sock
chmod 0060 /run/hearthcast/netd.sock
exec "$@"
"""


def like_the_units(helper: Path) -> tuple[str, ...]:
    """A wrapper for Box."""
    return ("sh", "-c", LIKE_THE_UNITS, "sh", str(helper))
