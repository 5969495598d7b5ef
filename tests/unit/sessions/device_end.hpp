// The device's end of a tunnel for tests of the box's end: real control transport, real listener, and a pipe
// without a seal between.
#pragma once

#include <vector>

#include "tunnelmgr/membership/listener.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"
#include "tunnelmgr/tunnel/control_transport.hpp"
#include "tunnelmgr/tunnel/home_hosts.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/reach.hpp"

namespace hearthcast::sessions {

class DeviceEnd {
 public:
  using Packets = std::vector<Buffer>;

  Packets say(const tunnel::ControlMessage& message, Time now) {
    return gre(transport_.send(tunnel::encode(message), now));
  }
  Packets join(const membership::Subscription& wanted, Time now) { return gre(listener_.join(wanted, now)); }
  Packets leave(const membership::Subscription& wanted, Time now) {
    return gre(listener_.leave(wanted, now));
  }

  // A GRE packet from the box; what the device says to it.
  Packets on_gre(Bytes packet, Time now) {
    const auto inner = tunnel::decode_inner_packet(packet);
    if (!inner) {
      return {};
    }
    if (inner->kind == tunnel::InnerKind::kMembership) {
      ++queries;
      return gre(listener_.on_packet(inner->payload));
    }
    return gre(transport_.on_packet(inner->payload, now));
  }
  Packets on_deadline(Time now) {
    Packets out = gre(transport_.on_deadline(now));
    for (auto& packet : gre(listener_.on_deadline(now))) {
      out.push_back(std::move(packet));
    }
    return out;
  }
  [[nodiscard]] Time next_deadline() const {
    return std::min(transport_.next_deadline(), listener_.next_deadline());
  }

  template <class T>
  [[nodiscard]] std::vector<T> received() const {
    std::vector<T> found;
    for (const auto& message : messages) {
      if (const auto* wanted = std::get_if<T>(&message)) {
        found.push_back(*wanted);
      }
    }
    return found;
  }

  std::vector<tunnel::ControlMessage> messages;  // from the box, in order
  std::vector<tunnel::Reach> reaches;            // the same
  std::vector<HomeHosts> home_hosts;             // the same
  int queries = 0;

 private:
  Packets gre(tunnel::ControlActions actions) {
    Packets out;
    for (auto& action : actions) {
      if (auto* packet = std::get_if<tunnel::SendPacket>(&action)) {
        out.push_back(std::move(packet->gre));
      } else if (auto* received = std::get_if<tunnel::MessageReceived>(&action)) {
        if (auto message = tunnel::decode_control_message(received->body, tunnel::Sender::kBox)) {
          messages.push_back(*message);
        } else if (auto hosts = tunnel::decode_home_hosts(received->body)) {
          home_hosts.push_back(*hosts);
        } else if (auto reach = tunnel::decode_reach(received->body)) {
          reaches.push_back(*reach);
        }
      }
    }
    return out;
  }
  static Packets gre(const membership::Listener::Packets& packets) {
    Packets out;
    for (const auto& packet : packets) {
      out.push_back(tunnel::encode_membership(packet));
    }
    return out;
  }

  tunnel::ControlTransport transport_;
  membership::Listener listener_{*IpAddress::parse("fe80::1:1")};
};

}  // namespace hearthcast::sessions
