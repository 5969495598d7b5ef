#include "tunnelmgr/mcast/flow_text.hpp"

namespace hearthcast::mcast {
namespace {

std::optional<IpAddress> bare_address(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  return IpAddress::parse(text);
}

}  // namespace

Result<FlowKey, Failure> parse_flow(const std::string& text) {
  FlowKey flow;
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    flow.source = bare_address(rest.substr(0, at));
    if (!flow.source && at > 0) {
      return Failure{"'" + std::string(rest.substr(0, at)) + "' is no address; write [SOURCE@]GROUP[:PORT]"};
    }
    rest.remove_prefix(at + 1);
  }
  if (const auto group = bare_address(rest)) {
    flow.group = *group;
    flow.port = kDefaultPort;
  } else if (const auto endpoint = Endpoint::parse(rest)) {
    flow.group = endpoint->address;
    flow.port = endpoint->port;
  } else {
    return Failure{"'" + std::string(rest) + "' is no group; write 239.1.1.1:5000 or [ff3e::1]:5000"};
  }
  if (!flow.group.is_multicast()) {
    return Failure{flow.group.to_string() + " is no multicast group (224.0.0.0/4, ff00::/8)"};
  }
  if (flow.port == 0) {
    return Failure{"port 0 cannot be sent to"};
  }
  if (flow.source && (flow.source->family() != flow.group.family() || flow.source->is_multicast())) {
    return Failure{flow.source->to_string() + " cannot be a source of " + flow.group.to_string()};
  }
  return flow;
}

}  // namespace hearthcast::mcast
