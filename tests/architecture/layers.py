"""The one table of the product's layers: which folder may include which others, and what it is.

Arrows point down only. A pure folder takes octets and a time and returns values: no sockets, files, clocks, threads, nor any
library that brings them. Add a folder here and in docs/architecture.md together.
"""

from dataclasses import dataclass

PURE, ADAPTER, PROGRAM = "pure", "adapter", "program"


@dataclass(frozen=True)
class Layer:
    kind: str
    may_include: frozenset[str]


def layer(kind: str, *roots: str) -> Layer:
    """Each argument is a root and the folders of it: "tunnelmgr: base wire"."""
    folders = set()
    for text in roots:
        root, names = text.split(":")
        folders |= {f"{root}/{name}" for name in names.split()}
    return Layer(kind, frozenset(folders))


LAYERS = {
    "tunnelmgr/base": layer(PURE),
    "tunnelmgr/wire": layer(PURE, "tunnelmgr: base"),
    "tunnelmgr/membership": layer(PURE, "tunnelmgr: base wire"),
    "tunnelmgr/trace": layer(PURE, "tunnelmgr: base wire"),
    "tunnelmgr/playlist": layer(PURE, "tunnelmgr: base"),
    "tunnelmgr/signalling": layer(PURE, "tunnelmgr: base wire"),
    "tunnelmgr/nat": layer(PURE, "tunnelmgr: base wire"),
    "tunnelmgr/tunnel": layer(PURE, "tunnelmgr: base wire"),
    "tunnelmgr/playout": layer(PURE, "tunnelmgr: base wire"),
    "tunnelmgr/secure": layer(ADAPTER, "tunnelmgr: base wire"),
    "tunnelmgr/linux": layer(ADAPTER, "tunnelmgr: base wire"),
    "tunnelmgr/datapath": layer(ADAPTER, "tunnelmgr: base wire tunnel playout secure linux"),
    "tunnelmgr/sqlite": layer(ADAPTER, "tunnelmgr: base"),
    "tunnelmgr/runtime": layer(ADAPTER, "tunnelmgr: base linux"),
    "tunnelmgr/http": layer(ADAPTER, "tunnelmgr: base wire signalling secure linux runtime"),
    "tunnelmgr/netd": layer(PROGRAM, "tunnelmgr: base linux"),
    "tunnelmgr/mcast": layer(PROGRAM, "tunnelmgr: base wire trace linux runtime"),
    "tunnelmgr/away": layer(
        PROGRAM, "tunnelmgr: base wire membership playlist signalling nat tunnel playout secure linux datapath runtime http"
    ),
    "appliance/proxy": layer(PURE, "tunnelmgr: base"),
    "appliance/channels": layer(PURE, "tunnelmgr: base playlist"),
    "appliance/access": layer(PURE, "tunnelmgr: base signalling", "appliance: channels"),
    "appliance/sessions": layer(PURE, "tunnelmgr: base wire membership tunnel", "appliance: channels access"),
    "appliance/trace": layer(ADAPTER, "tunnelmgr: base wire trace linux runtime", "appliance: proxy"),
    "appliance/forward": layer(ADAPTER, "tunnelmgr: base wire tunnel playout secure linux datapath"),
    "appliance/store": layer(ADAPTER, "tunnelmgr: base signalling sqlite", "appliance: channels access"),
    "appliance/household": layer(
        ADAPTER, "tunnelmgr: base playlist signalling sqlite linux", "appliance: channels access store"
    ),
    "appliance/multicast": layer(
        ADAPTER, "tunnelmgr: base wire membership linux runtime", "appliance: proxy"
    ),
    "appliance/gateway": layer(ADAPTER, "tunnelmgr: base wire nat linux runtime"),
    "appliance/api": layer(
        ADAPTER,
        "tunnelmgr: base membership playlist signalling secure runtime http",
        "appliance: channels access store household proxy multicast",
    ),
    "appliance/app": layer(
        PROGRAM,
        "tunnelmgr: base wire membership playlist signalling nat tunnel playout secure linux datapath sqlite runtime http",
        "appliance: proxy trace multicast channels access sessions forward gateway store household api",
    ),
    "rendezvous-server/registry": layer(PURE, "tunnelmgr: base wire signalling"),
    "rendezvous-server/introduce": layer(PURE, "tunnelmgr: base wire signalling", "rendezvous-server: registry"),
    "rendezvous-server/store": layer(
        ADAPTER, "tunnelmgr: base signalling sqlite", "rendezvous-server: registry introduce"
    ),
    "rendezvous-server/api": layer(
        ADAPTER,
        "tunnelmgr: base wire signalling secure linux runtime http",
        "rendezvous-server: registry introduce store",
    ),
    "rendezvous-server/app": layer(
        PROGRAM,
        "tunnelmgr: base wire signalling secure linux sqlite runtime http",
        "rendezvous-server: registry introduce store api",
    ),
}

# Which folders may include a header of these names; nobody else may.
OWNED_HEADERS = {
    r"openssl/": {"tunnelmgr/secure"},
    r"sqlite3\.h": {"tunnelmgr/sqlite"},
    r"argon2\.h": {"appliance/store"},
    r"miniupnpc/": {"appliance/gateway"},
    r"spdlog/|toml\+\+/": {"tunnelmgr/runtime"},
    r"boost/beast": {"tunnelmgr/http"},
    r"netlink/|linux/rtnetlink": {"tunnelmgr/linux"},
}

# What no pure folder includes. Text forms of addresses in base are the one use of arpa/inet.h: it converts, it opens nothing.
IMPURE_HEADERS = (
    r"boost/asio|boost/beast|openssl/|sqlite3\.h|argon2\.h|spdlog/|toml\+\+/|netlink/|sys/|net/|netinet/|netdb\.h|unistd\.h"
    r"|fcntl\.h|poll\.h|pthread\.h|signal\.h|thread$|jthread$|mutex$|shared_mutex$|condition_variable$|future$|semaphore$"
    r"|fstream$|filesystem$|iostream$|ctime$|time\.h|cstdio$"
)
# What no pure folder says: whoever reads a clock, the environment or the machine's randomness is an adapter.
IMPURE_WORDS = r"\b(steady_clock|system_clock|Clock)::now\b|\brandom_device\b|\bgetenv\b|\bstd::(time|rand|srand)\b"
