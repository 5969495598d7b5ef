"""The lab by hand: `up`, `down`, `shell NAME [COMMAND...]`, `list`."""

from __future__ import annotations

import argparse
import os
import sys

from .namespace import prefix
from .topology import NAMES, Topology


def main() -> int:
    parser = argparse.ArgumentParser(prog="./hearth lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="raise the network, replacing one that is up")
    commands.add_parser("down", help="end what runs in it and remove it; fine when nothing is up")
    commands.add_parser("list", help="the namespaces of the map")
    shell = commands.add_parser("shell", help="run a command, or a shell, in one namespace")
    shell.add_argument("name", choices=NAMES)
    shell.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args()
    topology = Topology(prefix())
    if options.command == "up":
        topology.up()
        print("The lab is up. Look around with ./hearth lab shell NAME COMMAND; NAME is one of:")
        print("  " + " ".join(NAMES))
    elif options.command == "down":
        topology.down()
    elif options.command == "list":
        print("\n".join(space.full_name for space in topology.spaces.values()))
    else:
        if not topology.is_up():
            print("lab: it is not up; raise it with ./hearth lab up", file=sys.stderr)
            return 1
        command = topology[options.name].command(*(options.arguments or [os.environ.get("SHELL", "/bin/bash")]))
        os.execvp(command[0], command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
