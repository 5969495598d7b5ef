hearthcast_fuzz(client_hello SOURCES client_hello_fuzz.cpp DEPENDS secure)
hearthcast_fuzz(dtls SOURCES dtls_fuzz.cpp DEPENDS secure)
hearthcast_fuzz(netd SOURCES netd_fuzz.cpp DEPENDS linux)
hearthcast_fuzz(route_upcall SOURCES route_upcall_fuzz.cpp DEPENDS linux)
