#include "tunnelmgr/tunnel/home_hosts.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hearthcast::tunnel {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxBody = std::size_t{16} << 10;

}  // namespace

Buffer encode_home_hosts(const HomeHosts& hosts) {
  auto list = Json::array();
  for (const HomeHost& host : hosts) {
    list.push_back(host.to_string());
  }
  const auto text = Json{{"type", "home_hosts"}, {"hosts", std::move(list)}}.dump();
  return {text.begin(), text.end()};
}

Result<HomeHosts> decode_home_hosts(Bytes body) {
  if (body.size() > kMaxBody) {
    return ParseError::kBadLength;
  }
  // Nothing here is nested deeper than two, so a callback ends what is.
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) { return depth <= 2; };
  const auto object = Json::parse(body.begin(), body.end(), shallow, false);
  if (!object.is_object()) {
    return ParseError::kBadValue;
  }
  if (const auto type = object.find("type"); type == object.end() || *type != "home_hosts") {
    return ParseError::kUnknownType;
  }
  const auto list = object.find("hosts");
  if (list == object.end() || !list->is_array()) {
    return ParseError::kBadValue;
  }
  HomeHosts hosts;
  for (const auto& entry : *list) {
    const auto host = entry.is_string() ? HomeHost::parse(entry.get_ref<const std::string&>()) : std::nullopt;
    if (host && hosts.size() < kMaxHomeHosts && std::ranges::find(hosts, *host) == hosts.end()) {
      hosts.push_back(*host);
    }
  }
  return hosts;
}

}  // namespace hearthcast::tunnel
