# Requests of anybody to the box's API, through routes, checks and handlers: every answer is whole, no state breaks.
hearthcast_fuzz(api SOURCES api_fuzz.cpp DEPENDS api secure)
