hearthcast_fuzz(nat_agent SOURCES nat_agent_fuzz.cpp DEPENDS nat)
hearthcast_fuzz(turn_client SOURCES turn_client_fuzz.cpp DEPENDS nat)
