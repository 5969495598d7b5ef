// What a data thread does with datagrams and sessions, on virtual time and without its loop: the product's
// table of sessions, and the sorting of tunnelmgr/datapath/port_reader.hpp.
#pragma once

#include <functional>

#include "tunnelmgr/datapath/session_table.hpp"

namespace hearthcast::sim {

class DataThread {
 public:
  struct Ports {
    std::function<void(const Endpoint& to, Bytes datagram)> send;
    std::function<void(const Endpoint& from, Bytes datagram)> stun;
    std::function<void(const Endpoint& from, PeerId peer, Bytes datagram)> handshake;
    std::function<void(PeerId peer, const Endpoint& from, Bytes gre)> inner;  // media, too
    std::function<void(PeerId peer, const std::string& reason)> closed;
  };
  explicit DataThread(Ports ports) : ports_(std::move(ports)) {}

  void on_datagram(const Endpoint& from, Bytes datagram);

  void add(datapath::AddSession message) { table_.add(std::move(message)); }
  void move(const datapath::MoveSession& message) { table_.move(message); }
  void hear(const datapath::HearSession& message) { table_.hear(message); }
  void remove(const datapath::RemoveSession& message);
  void pass(const datapath::PassToSession& message, Time now);
  void seal(PeerId peer, Bytes gre);  // and send

  [[nodiscard]] std::size_t sessions() const { return table_.peers().size(); }

 private:
  [[nodiscard]] bool open(datapath::Peer& peer, const Endpoint& from, Bytes datagram);

  Ports ports_;
  datapath::SessionTable table_;
};

}  // namespace hearthcast::sim
