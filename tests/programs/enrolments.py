"""Boxes that nobody knows enrol at a rendezvous, one after another from many sources.

As a program, inside a namespace that has the sources: `python3 enrolments.py SERVER PORT COUNT SOURCE...`. COUNT enrolments
from each source, all sources at once; at its end it prints how many ended how, as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable

from protocol import Client, b64

ENROLLED = "enrolled"


def outcome_of(connect: Callable[[], Client]) -> str:
    """Of a new box that enrols: ENROLLED, or the code of its refusal, or in which way the connection broke."""
    try:
        box = connect()
        box.join()
        box.allow([], 1)
        # Whatever comes in answer to a message that is refused for certain comes after the answer to the list.
        box.say("allow", devices=[], revision=0, signature=b64(b"x"))
        code = str(box.next("error")["code"])
        box.socket.close()
        return ENROLLED if code in ("bad_signature", "bad_message") else code
    except (OSError, EOFError, AssertionError) as refused:
        return type(refused).__name__


def main(server: str, port: str, count: str, *sources: str) -> None:
    outcomes: list[str] = []

    def enrol(source: str) -> None:
        for _ in range(int(count)):
            outcomes.append(outcome_of(lambda: Client(int(port), "box", None, server, source)))

    threads = [threading.Thread(target=enrol, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(Counter(outcomes)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
