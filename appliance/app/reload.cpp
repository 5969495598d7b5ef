#include "appliance/app/reload.hpp"

namespace hearthcast::app {
namespace {

// Keys that a running box takes over.
bool at_once(const std::string& key) { return key == "log.level"; }

}  // namespace

Reload::Reload(std::filesystem::path file, BoxSettings running, std::function<void(const BoxSettings&)> apply)
    : file_(std::move(file)), running_(std::move(running)), apply_(std::move(apply)) {}

Result<api::Reloaded, Failure> Reload::operator()() {
  auto read = read_settings(file_);
  if (!read) {
    return read.error();
  }
  const auto before = declare(running_).values();
  const auto after = declare(*read).values();
  std::string later;
  std::string text = "The settings are read: ";
  for (const auto& [key, value] : after) {
    if (before.at(key) == value) {
      continue;
    }
    if (at_once(key)) {
      text.append(key).append(" is ").append(value).append(" now; ");
    } else {
      later += (later.empty() ? "" : ", ") + key;
    }
  }
  if (read->peers != running_.peers) {
    later += later.empty() ? "peer" : ", peer";
  }
  const std::size_t instances = read->multicast.instances.size();
  text += std::to_string(instances) + (instances == 1 ? " multicast instance." : " multicast instances.");
  if (!later.empty()) {
    text += " Only after a restart: " + later + ".";
  }
  apply_(*read);
  // What waits for a restart is compared with what runs, next time as well.
  running_.log_level = read->log_level;
  running_.multicast = std::move(read->multicast);
  return api::Reloaded{text};
}

}  // namespace hearthcast::app
