#include "tunnelmgr/tunnel/reach.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::tunnel {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxBody = std::size_t{16} << 10;
constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4, as text
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxUrl = 512;

bool is_label(std::string_view label) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, is_good);
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) {
    return false;
  }
  bool digits_only = false;  // of the last label: that would be a mistyped address
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    const auto label = name.substr(at, end - at);
    if (!is_label(label)) {
      return false;
    }
    digits_only = std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
    at = end + 1;
  }
  return !digits_only;
}

std::string text_member(const Json& object, const char* name, std::size_t longest) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string() || at->get_ref<const std::string&>().size() > longest) {
    return {};
  }
  return at->get<std::string>();
}

}  // namespace

std::optional<ReachAddress> ReachAddress::parse(std::string_view text) {
  ReachAddress reach;
  reach.address = IpAddress::parse(text);  // an IPv6 address without brackets has no port
  if (reach.address) {
    return reach;
  }
  std::string_view host = text;
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos && !text.ends_with(']')) {
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) {
      return std::nullopt;
    }
    reach.port = *port;
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    reach.address = IpAddress::parse(host.substr(1, host.size() - 2));
    return reach.address && reach.address->is_ip6() ? std::optional(reach) : std::nullopt;
  }
  if (const auto address = IpAddress::parse(host); address && address->is_ip4()) {
    reach.address = address;
  } else if (is_name(host)) {
    reach.name = host;
  } else {
    return std::nullopt;
  }
  return reach;
}

std::string ReachAddress::to_string() const {
  return address ? Endpoint{*address, port}.to_string() : name + ":" + std::to_string(port);
}

Buffer encode(const Reach& reach) {
  auto addresses = Json::array();
  for (const auto& address : reach.addresses) {
    addresses.push_back(address.to_string());
  }
  Json object{{"type", "reach"}, {"addresses", std::move(addresses)}};
  if (!reach.rendezvous_url.empty()) {
    object["rendezvous"] = {{"url", reach.rendezvous_url}, {"pin", reach.rendezvous_pin}};
  }
  const auto text = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  return {text.begin(), text.end()};
}

Result<Reach> decode_reach(Bytes body) {
  if (body.size() > kMaxBody) {
    return ParseError::kBadLength;
  }
  // Nothing here is nested deeper than three, so a callback ends what is.
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) { return depth <= 3; };
  const auto object = Json::parse(body.begin(), body.end(), shallow, false);
  if (!object.is_object()) {
    return ParseError::kBadValue;
  }
  if (text_member(object, "type", 16) != "reach") {
    return ParseError::kUnknownType;
  }
  const auto addresses = object.find("addresses");
  if (addresses == object.end() || !addresses->is_array()) {
    return ParseError::kBadValue;
  }
  Reach reach;
  for (const auto& entry : *addresses) {
    if (reach.addresses.size() == kMaxReachAddresses) {
      break;
    }
    const auto address =
        entry.is_string() ? ReachAddress::parse(entry.get_ref<const std::string&>()) : std::nullopt;
    if (address) {
      reach.addresses.push_back(*address);
    }
  }
  if (const auto rendezvous = object.find("rendezvous");
      rendezvous != object.end() && rendezvous->is_object()) {
    reach.rendezvous_url = text_member(*rendezvous, "url", kMaxUrl);
    reach.rendezvous_pin = text_member(*rendezvous, "pin", 64);
  }
  return reach;
}

}  // namespace hearthcast::tunnel
