"""The simplest multicast relay there is, as the yardstick: receives a group on one interface, sends it on another.

relay.py GROUP PORT INPUT OUTPUT
"""

import socket
import struct
import sys


def main(group: str, port: int, from_link: str, to_link: str) -> None:
    ip6 = ":" in group
    family = socket.AF_INET6 if ip6 else socket.AF_INET
    incoming = socket.socket(family, socket.SOCK_DGRAM)
    incoming.bind((group, port))
    outgoing = socket.socket(family, socket.SOCK_DGRAM)
    index, out = socket.if_nametoindex(from_link), socket.if_nametoindex(to_link)
    if ip6:
        incoming.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(family, group) + struct.pack("@I", index))
        outgoing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, out)
        outgoing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
        outgoing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    else:
        incoming.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + bytes(4) + struct.pack("@i", index))
        outgoing.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + struct.pack("@i", out))
        outgoing.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        outgoing.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    print("relaying", flush=True)
    while True:
        outgoing.sendto(incoming.recv(65536), (group, port))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
