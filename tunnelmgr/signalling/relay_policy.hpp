// Whether streams may go through relays: a setting of each end. The box tells its own in introductions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hearthcast::signalling {

enum class RelayPolicy : std::uint8_t {
  kAuto,   // where no direct path is found
  kNever,  // rather no stream
  kAlways  // even where a direct path is; only for peers on the same network there is another
};

[[nodiscard]] std::optional<RelayPolicy> parse_relay_policy(std::string_view word);
// "auto", "never", "always".
[[nodiscard]] const char* to_string(RelayPolicy policy);

// What is accepted, for people.
inline constexpr std::string_view kRelayPolicyForm = "\"auto\", \"never\" or \"always\"";

}  // namespace hearthcast::signalling
