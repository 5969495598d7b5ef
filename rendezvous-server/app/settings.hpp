// The settings of hearthcast-rendezvous: every key with its default, once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rendezvous-server/api/hub.hpp"
#include "tunnelmgr/runtime/settings.hpp"

namespace hearthcast::rendezvous {

struct AppSettings {
  std::filesystem::path state_dir = "/var/lib/hearthcast/rendezvous";
  std::filesystem::path control_socket = "/run/hearthcast/rendezvous/rendezvous.sock";
  std::string run_as = "nobody";
  Endpoint wss{IpAddress::any(Family::kIp6), 443};
  std::uint16_t udp_port = 3478;
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::uint32_t connections = 20000;
  std::uint32_t connections_per_source = 256;
  std::uint32_t max_boxes = 50000;
  std::uint32_t connects_per_minute = 300;
  std::uint32_t hellos_per_minute = 60;
  std::uint32_t new_boxes_per_hour = 20;
  std::uint32_t introductions_per_minute = 30;
  std::uint32_t box_load_per_minute = 60;
  std::uint32_t pairings_per_minute = 10;
  std::uint32_t messages_per_minute = 120;
  std::uint32_t hello_timeout_s = 10;
  Enrolment enrolment = Enrolment::kOpen;
  std::string enrolment_contact;
  std::optional<Endpoint> health;
  std::vector<std::string> turn_urls;
  std::filesystem::path turn_secret_file;
  std::uint32_t turn_lifetime_h = 48;
  std::optional<Endpoint> turn_behind;
  Level log_level = Level::kInfo;
};

// Binds the keys to the variables of s, which outlives the result.
[[nodiscard]] runtime::Settings declare(AppSettings& s);
[[nodiscard]] HubSettings hub_settings(const AppSettings& s);
// The secret that the file of `turn.secret_file` holds: its first line. Empty without relays.
[[nodiscard]] Result<std::string, Failure> read_turn_secret(const AppSettings& s);

}  // namespace hearthcast::rendezvous
