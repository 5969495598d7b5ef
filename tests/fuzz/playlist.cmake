# Playlists of strangers: nothing crashes, every name is UTF-8, and what is written reads back.
hearthcast_fuzz(m3u SOURCES m3u_fuzz.cpp DEPENDS playlist)
# What players ask the box for: nothing crashes, and an address that is taken reads back.
hearthcast_fuzz(lan_path SOURCES lan_path_fuzz.cpp DEPENDS playlist)
