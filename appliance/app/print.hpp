// The API's answers as text for a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace hearthcast::app {

[[nodiscard]] std::string print_status(const nlohmann::json& status);
[[nodiscard]] std::string print_channels(const nlohmann::json& answer);
[[nodiscard]] std::string print_import(const nlohmann::json& report);
[[nodiscard]] std::string print_pairing(const nlohmann::json& pairing);
[[nodiscard]] std::string print_pairings(const nlohmann::json& answer);
[[nodiscard]] std::string print_devices(const nlohmann::json& answer);
[[nodiscard]] std::string print_device(const nlohmann::json& device);
[[nodiscard]] std::string print_viewers(const nlohmann::json& answer);
[[nodiscard]] std::string print_lan_link(const nlohmann::json& link);

[[nodiscard]] std::string print_peers(const nlohmann::json& answer);

[[nodiscard]] std::string print_multicast(const nlohmann::json& status);

// "all" as it is, "none" as an empty list, "1,2" as a list of numbers; nothing when it is neither.
[[nodiscard]] std::optional<nlohmann::json> parse_channel_list(const std::string& text);

// A QR code of two rows a line, dark on light, with its quiet zone.
[[nodiscard]] std::string print_qr(const std::string& text);

}  // namespace hearthcast::app
