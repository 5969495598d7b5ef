#include "rendezvous-server/app/settings.hpp"

namespace hearthcast::rendezvous {

runtime::Settings declare(AppSettings& s) {
  runtime::Settings keys;
  keys.path("state_dir", s.state_dir, "Where the server's key and its database are kept.");
  keys.path("control_socket", s.control_socket, "The socket that `hearthcast-rendezvous status` talks to.");
  keys.text("run_as", s.run_as, "User to become when started as root; empty: stay what one is.");
  keys.endpoint("listen.wss", s.wss,
                "Where boxes and devices connect (TCP, TLS). `[::]` means every address.");
  keys.number("listen.udp_port", s.udp_port, 0, 65535,
              "UDP port on the same address, where they learn their mapping. 0 picks one.");
  keys.path("tls.certificate", s.certificate,
            "PEM file with a certificate chain. Empty: the server's own key, which clients pin.");
  keys.path("tls.key", s.key, "PEM file with the key of that certificate.");
  keys.number("limits.connections", s.connections, 1, 1000000, "Connections at a time.");
  keys.number("limits.connections_per_source", s.connections_per_source, 1, 1000000,
              "Of them from one IPv4 address or IPv6 /56.");
  keys.number("limits.boxes", s.max_boxes, 1, 10000000, "Boxes whose list of devices is kept.");
  keys.level("log.level", s.log_level, "The least level that is logged.");
  return keys;
}

HubSettings hub_settings(const AppSettings& s) {
  HubSettings hub;
  hub.listen = s.wss;
  hub.presence = {s.wss.address, s.udp_port};
  hub.database = s.state_dir / "rendezvous.db";
  hub.control_socket = s.control_socket.string();
  hub.connections = s.connections;
  hub.connections_per_source = s.connections_per_source;
  hub.policy.max_boxes = s.max_boxes;
  return hub;
}

}  // namespace hearthcast::rendezvous
