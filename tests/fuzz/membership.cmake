# The router side of a tunnel against a host that sends anything: no crash, no more state than its limits.
hearthcast_fuzz(membership_router SOURCES membership_router_fuzz.cpp DEPENDS membership)
