// Allow and deny by interface, group and source: the first rule that matches decides.
#pragma once

#include <string_view>
#include <vector>

#include "appliance/proxy/settings.hpp"

namespace hearthcast::proxy {

// Of the sources that a group may have, how many are allowed.
enum class Reach : std::uint8_t { kNone, kSome, kAll };

class RuleList {
 public:
  RuleList(std::vector<Rule> rules, Verdict otherwise) : rules_(std::move(rules)), otherwise_(otherwise) {}

  // `interface`: a name, or kTunnels.
  [[nodiscard]] bool allows(std::string_view interface, const IpAddress& group,
                            const IpAddress& source) const;
  // By what the rules say, not by what their prefixes add up to: two halves denied are still kSome.
  [[nodiscard]] Reach reach(std::string_view interface, const IpAddress& group) const;

 private:
  std::vector<Rule> rules_;
  Verdict otherwise_;
};

}  // namespace hearthcast::proxy
