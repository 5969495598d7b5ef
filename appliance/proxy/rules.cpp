#include "appliance/proxy/rules.hpp"

namespace hearthcast::proxy {
namespace {

bool concerns(const Rule& rule, std::string_view interface, const IpAddress& group) {
  return (rule.interface.empty() || rule.interface == interface) &&
         (!rule.group || rule.group->contains(group)) &&
         (!rule.source || rule.source->family() == group.family());
}

}  // namespace

bool RuleList::allows(std::string_view interface, const IpAddress& group, const IpAddress& source) const {
  for (const Rule& rule : rules_) {
    if (concerns(rule, interface, group) && (!rule.source || rule.source->contains(source))) {
      return rule.verdict == Verdict::kAllow;
    }
  }
  return otherwise_ == Verdict::kAllow;
}

Reach RuleList::reach(std::string_view interface, const IpAddress& group) const {
  Verdict last = otherwise_;
  bool allowed = false;
  bool denied = false;
  for (const Rule& rule : rules_) {
    if (!concerns(rule, interface, group)) {
      continue;
    }
    if (!rule.source || rule.source->length == 0) {
      last = rule.verdict;
      break;
    }
    (rule.verdict == Verdict::kAllow ? allowed : denied) = true;
  }
  if (last == Verdict::kAllow) {
    return denied ? Reach::kSome : Reach::kAll;
  }
  return allowed ? Reach::kSome : Reach::kNone;
}

}  // namespace hearthcast::proxy
