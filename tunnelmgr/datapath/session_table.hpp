// The established sessions of a data thread, by the endpoint that their datagrams come from.
//
// An endpoint belongs to one peer at a time: who claims it last, has it. A peer has one endpoint that it is
// sent to, and up to three former ones whose datagrams are still accepted. Data thread only; lookups do not
// allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/datapath/messages.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"
#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::datapath {

struct Peer {
  PeerId id;
  Endpoint endpoint;               // where it is sent to
  std::vector<Endpoint> accepted;  // `endpoint` first, then what was claimed last
  std::unique_ptr<secure::DtlsSession> session;
  std::uint64_t records = 0;  // opened
  Time last_received{};
  std::uint8_t traffic_class = 0;      // of the outer header of the datagram that is being read
  std::size_t frame_limit = SIZE_MAX;  // largest GRE packet of media that its path carries, as far as known
  bool takes_repair = false;           // it lists that it takes retransmissions
  bool takes_prelude = false;          // and what came before it did
  tunnel::Form encapsulation = tunnel::Form::kGre;  // of media, as the device asked for it
  bool too_narrow = false;       // a datagram did not fit the path in that form: they go in GRE
  bool try_form = false;         // perhaps they fit by now
  std::size_t refused_size = 0;  // the smallest datagram that the system would not send, since asked last

  // Media go to it with flow and number: what is lost can be asked for, and what came before can be sent.
  [[nodiscard]] bool numbered() const { return encapsulation == tunnel::Form::kGre || too_narrow; }
};

class SessionTable {
 public:
  void add(AddSession message);  // with the id of a peer that exists: exchanges its session
  void move(const MoveSession& message);
  void hear(const HearSession& message);
  // The peer, taken out; null when unknown.
  std::unique_ptr<Peer> remove(PeerId peer);

  [[nodiscard]] Peer* find(const Endpoint& from);
  [[nodiscard]] Peer* find(PeerId peer);
  [[nodiscard]] const std::unordered_map<PeerId, std::unique_ptr<Peer>>& peers() const { return peers_; }

 private:
  void claim(Peer& peer, const Endpoint& endpoint, bool first);

  std::unordered_map<PeerId, std::unique_ptr<Peer>> peers_;
  std::unordered_map<Endpoint, Peer*> endpoints_;
};

}  // namespace hearthcast::datapath
