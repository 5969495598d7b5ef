#include "tunnelmgr/signalling/relay_policy.hpp"

namespace hearthcast::signalling {

std::optional<RelayPolicy> parse_relay_policy(std::string_view word) {
  for (const auto policy : {RelayPolicy::kAuto, RelayPolicy::kNever, RelayPolicy::kAlways}) {
    if (word == to_string(policy)) {
      return policy;
    }
  }
  return std::nullopt;
}

const char* to_string(RelayPolicy policy) {
  switch (policy) {
    case RelayPolicy::kAuto:
      return "auto";
    case RelayPolicy::kNever:
      return "never";
    case RelayPolicy::kAlways:
      return "always";
  }
  return "";
}

}  // namespace hearthcast::signalling
