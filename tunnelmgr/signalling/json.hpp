// Reading members of JSON objects without exceptions: a member that is missing or of another type is nullopt.
// Internal to signalling; heavy to include.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/text.hpp"

namespace hearthcast::signalling {

using Json = nlohmann::json;

// The object in the text; nullopt for anything else, for more than 16 nested levels, and beyond 64 KiB.
[[nodiscard]] std::optional<Json> parse_object(std::string_view text);
[[nodiscard]] std::string dump(const Json& json);  // never throws: bad UTF-8 is replaced

[[nodiscard]] std::optional<std::string> text_member(const Json& object, const char* name,
                                                     std::size_t max = 512);
[[nodiscard]] std::optional<std::uint64_t> number_member(const Json& object, const char* name);
[[nodiscard]] std::optional<IdentityId> id_member(const Json& object, const char* name);
[[nodiscard]] std::optional<Buffer> octets_member(const Json& object, const char* name, std::size_t max);
// nullopt when the member is there but not a list of at most max endpoints; an absent list is empty.
[[nodiscard]] std::optional<std::vector<Endpoint>> endpoints_member(const Json& object, const char* name,
                                                                    std::size_t max);
[[nodiscard]] Json to_json(const std::vector<Endpoint>& endpoints);

template <std::size_t size>
[[nodiscard]] bool read_octets(const Json& object, const char* name, std::array<std::uint8_t, size>& out) {
  const auto octets = octets_member(object, name, size);
  if (!octets || octets->size() != size) {
    return false;
  }
  std::copy(octets->begin(), octets->end(), out.begin());
  return true;
}

}  // namespace hearthcast::signalling
