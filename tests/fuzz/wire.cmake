# Codecs of tunnelmgr/wire: nothing that comes in may crash them, and what decodes must encode and decode alike.
hearthcast_fuzz(gre SOURCES gre_fuzz.cpp DEPENDS wire)
hearthcast_fuzz(ip SOURCES ip_fuzz.cpp DEPENDS wire)
hearthcast_fuzz(udp_packet SOURCES udp_packet_fuzz.cpp DEPENDS wire)
hearthcast_fuzz(stun SOURCES stun_fuzz.cpp DEPENDS wire)
hearthcast_fuzz(membership_packet SOURCES membership_packet_fuzz.cpp DEPENDS wire)
hearthcast_fuzz(rtp SOURCES rtp_fuzz.cpp DEPENDS wire)
hearthcast_fuzz(ts SOURCES ts_fuzz.cpp DEPENDS wire)
