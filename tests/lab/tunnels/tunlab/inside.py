"""What runs as the first process of a Linux kernel of its own (linux_kernel.py): does what it is told, line by line.

Each line of the console is a list of words in JSON: a command to run, or ["listen", INTERFACE, GROUP, SOURCE or "", PORT, COUNT,
FILE], which joins a group by this kernel, writes the payloads of so many datagrams into the file, and leaves. Each answer is one
line, {"status": ..., "output": ...}; the first says that it is up.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import sys
import time

_MCAST_JOIN_GROUP = 42
_MCAST_JOIN_SOURCE_GROUP = 46
_SO_RCVBUFFORCE = 33
ANSWER = "answer "


def address(text: str) -> bytes:
    """struct sockaddr_storage."""
    if ":" in text:
        return struct.pack("@HHI16sI100x", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, text), 0)
    return struct.pack("@HH4s120x", socket.AF_INET, 0, socket.inet_aton(text))


def listen(interface: str, group: str, source: str, port: str, count: str, file: str) -> str:
    ip6 = ":" in group
    level = socket.IPPROTO_IPV6 if ip6 else socket.IPPROTO_IP
    index = struct.pack("@I4x", socket.if_nametoindex(interface))
    with socket.socket(socket.AF_INET6 if ip6 else socket.AF_INET, socket.SOCK_DGRAM) as heard, open(file, "wb") as out:
        heard.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        heard.bind((group, int(port)))
        if source:
            heard.setsockopt(level, _MCAST_JOIN_SOURCE_GROUP, index + address(group) + address(source))
        else:
            heard.setsockopt(level, _MCAST_JOIN_GROUP, index + address(group))
        heard.settimeout(60)
        begin = time.monotonic()
        for _ in range(int(count)):
            out.write(heard.recv(65536))
    return f"{time.monotonic() - begin:.1f} s"


def do(words: list[str]) -> tuple[int, str]:
    if words[0] == "listen":
        return 0, listen(*words[1:])
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def main() -> None:
    print(ANSWER + json.dumps({"status": 0, "output": "up"}), flush=True)
    for line in sys.stdin:
        try:
            status, output = do(json.loads(line))
        except Exception as error:  # the one who asked is told
            status, output = 1, f"{type(error).__name__}: {error}"
        print(ANSWER + json.dumps({"status": status, "output": output}), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
