hearthcast_fuzz(mtrace2 SOURCES mtrace2_fuzz.cpp DEPENDS trace)
