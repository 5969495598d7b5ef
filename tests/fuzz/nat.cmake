hearthcast_fuzz(nat_agent SOURCES nat_agent_fuzz.cpp DEPENDS nat)
hearthcast_fuzz(turn_client SOURCES turn_client_fuzz.cpp DEPENDS nat)
hearthcast_fuzz(port_mapping SOURCES port_mapping_fuzz.cpp DEPENDS nat)
hearthcast_fuzz(dns SOURCES dns_fuzz.cpp DEPENDS nat)
