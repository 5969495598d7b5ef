#include "tunnelmgr/signalling/json.hpp"

#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::signalling {
namespace {

constexpr int kMaxDepth = 16;

const Json* find(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at == object.end() ? nullptr : &*at;
}

}  // namespace

std::optional<Json> parse_object(std::string_view text) {
  if (text.size() > kMaxMessage) {
    return std::nullopt;
  }
  bool too_deep = false;
  const auto limit_depth = [&](int depth, Json::parse_event_t, const Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  Json json = Json::parse(text, limit_depth, false);
  return too_deep || !json.is_object() ? std::nullopt : std::optional(std::move(json));
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::optional<std::string> text_member(const Json& object, const char* name, std::size_t max) {
  const Json* const member = find(object, name);
  if (member == nullptr || !member->is_string() || member->get_ref<const std::string&>().size() > max) {
    return std::nullopt;
  }
  return member->get<std::string>();
}

std::optional<std::uint64_t> number_member(const Json& object, const char* name) {
  const Json* const member = find(object, name);
  return member == nullptr || !member->is_number_unsigned() ? std::nullopt
                                                            : std::optional(member->get<std::uint64_t>());
}

std::optional<IdentityId> id_member(const Json& object, const char* name) {
  const auto text = text_member(object, name, 64);
  return text ? IdentityId::parse(*text) : std::nullopt;
}

std::optional<Buffer> octets_member(const Json& object, const char* name, std::size_t max) {
  const auto text = text_member(object, name, (max * 4 + 2) / 3);
  return text ? from_base64url(*text) : std::nullopt;
}

std::optional<std::vector<Endpoint>> endpoints_member(const Json& object, const char* name, std::size_t max) {
  std::vector<Endpoint> endpoints;
  const Json* const member = find(object, name);
  if (member == nullptr) {
    return endpoints;
  }
  if (!member->is_array() || member->size() > max) {
    return std::nullopt;
  }
  for (const Json& item : *member) {
    const auto endpoint =
        item.is_string() ? Endpoint::parse(item.get_ref<const std::string&>()) : std::nullopt;
    if (!endpoint) {
      return std::nullopt;
    }
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

Json to_json(const std::vector<Endpoint>& endpoints) {
  Json list = Json::array();
  for (const Endpoint& endpoint : endpoints) {
    list.push_back(endpoint.to_string());
  }
  return list;
}

}  // namespace hearthcast::signalling
