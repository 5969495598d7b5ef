// How an inner IP packet is put into a tunnel, sealed or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hearthcast::tunnel {

enum class Form : std::uint8_t { kGre, kSixInFour, kAyiya };

// "gre", "6in4", "ayiya": the words of the setting, of both hellos and of what people are shown.
[[nodiscard]] const char* to_string(Form form);
[[nodiscard]] std::optional<Form> parse_form(std::string_view word);

// What is accepted, for people.
inline constexpr std::string_view kForms = "\"gre\", \"6in4\" or \"ayiya\"";

}  // namespace hearthcast::tunnel
