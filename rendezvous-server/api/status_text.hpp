// The state of the rendezvous as its operator's tools read it: JSON, Prometheus metrics, ready or not.
#pragma once

#include <string>

#include "rendezvous-server/api/hub.hpp"

namespace hearthcast::rendezvous {

// GET /status on the control socket, and what `hearthcast-rendezvous status` prints.
[[nodiscard]] std::string to_json(const HubStatus& status);

// GET /metrics. It names nobody: no box, no device, no address.
[[nodiscard]] std::string to_metrics(const HubStatus& status);

// Why new clients should go elsewhere, in words; empty when they are welcome.
[[nodiscard]] std::string not_ready(const HubStatus& status);

}  // namespace hearthcast::rendezvous
