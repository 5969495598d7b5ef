# Playlists of strangers: nothing crashes, every name is UTF-8, and what is written reads back.
hearthcast_fuzz(m3u SOURCES m3u_fuzz.cpp DEPENDS playlist)
