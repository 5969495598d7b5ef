hearthcast_fuzz(nat_agent SOURCES nat_agent_fuzz.cpp DEPENDS nat)
