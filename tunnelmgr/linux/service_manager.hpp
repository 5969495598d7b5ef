// Word to the service manager (systemd): ready, stopping, alive. Nothing happens when there is none.
// Source: sd_notify(3): a datagram to the Unix socket named by NOTIFY_SOCKET.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace hearthcast::linux {

// state: "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". False when nobody was told.
bool notify_service_manager(std::string_view state);

// How often the manager wants a WATCHDOG=1 of this process at least; nullopt when it does not.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace hearthcast::linux
