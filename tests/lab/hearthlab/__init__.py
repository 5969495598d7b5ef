"""The world that Hearthcast is tried in: network namespaces, a provider, players, and what measures them."""
