// What a handler of the API has at hand. Handlers are plain functions on the worker thread: a call in, a
// response out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "appliance/api/live.hpp"
#include "appliance/api/logins.hpp"
#include "appliance/api/throttle.hpp"
#include "appliance/household/household.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/http/message.hpp"

namespace hearthcast::api {

struct Reloaded {
  std::string text;  // what is in force now, for people
};

// Lives as long as the program; worker thread.
struct Services {
  household::Household& household;
  Logins logins;
  Throttle password_tries;
  Throttle pair_tries{60};              // the pairing window counts wrong secrets; this stops floods
  std::vector<std::string> host_names;  // lower case, beside addresses and localhost
  Time started{};
  bool metrics_for_all = false;  // else only for this machine itself
  std::uint16_t lan_port = 0;    // of plain HTTP, where LAN links lead; 0: it is off
  // Reads the settings file anew and puts in force what can be changed at run time. What happened, in words,
  // or why the file was refused and everything stays as it was. Called on the worker thread; empty: not
  // possible.
  std::function<Result<Reloaded, Failure>()> reload = {};
};

// One request. `live` and `now` are of the moment when it came.
struct Call {
  const http::Request& request;
  const LiveState& live;
  Time now{};
  std::int64_t id = 0;  // of a path with {id}
};

}  // namespace hearthcast::api
