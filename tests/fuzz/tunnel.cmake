hearthcast_fuzz(tunnel_control SOURCES tunnel_control_fuzz.cpp DEPENDS tunnel)
hearthcast_fuzz(tunnel_inner SOURCES tunnel_inner_fuzz.cpp DEPENDS tunnel)
hearthcast_fuzz(foreign_peer SOURCES foreign_peer_fuzz.cpp DEPENDS tunnel)
hearthcast_fuzz(tunnel_compact SOURCES tunnel_compact_fuzz.cpp DEPENDS tunnel)
