// Boxes that are here by UDP alone: their WebSocket broke, and their presence goes on. An introduction is too
// large to be sent to an address that only UDP vouches for; such a box is knocked at instead: one small
// datagram says where a device was seen, again until it is answered. Source: docs/protocol/introduction.md.
//
// Pure: the caller sends the returned datagrams and calls on_deadline() at next_deadline().
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "rendezvous-server/registry/registry.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::rendezvous {

struct SendDatagram {  // from the presence port
  Endpoint to;
  Buffer bytes;
};

class QuietBoxes {
 public:
  static constexpr Duration kPatience = std::chrono::seconds{65};  // three intervals of presence, and some
  static constexpr int kTries = 4;                                 // at 0, 0.5, 1.5 and 3.5 s

  // Both outlive it.
  QuietBoxes(const Crypto& crypto, Random& random) : crypto_(crypto), random_(random) {}

  // Its connection broke. Nothing when no presence has been heard of it for kPatience.
  void add(const Session& box, Time now);
  void remove(const IdentityId& box);

  [[nodiscard]] const std::string* password(const std::string& username) const;
  // An authenticated presence request. False: it is of none of them.
  bool on_presence(const std::string& username, const Endpoint& from, Time now);
  // Where the box is; null when it is not here.
  [[nodiscard]] const Endpoint* mapping(const IdentityId& box) const;
  // That is here. Instead of what it was told before of that device. at: its mapping, then where it is behind
  // relays.
  [[nodiscard]] SendDatagram knock(const IdentityId& box, const IdentityId& device, std::vector<Endpoint> at,
                                   Time now);
  // True when the datagram answers a knock.
  bool on_answer(Bytes datagram);
  [[nodiscard]] std::vector<SendDatagram> on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

 private:
  struct Box {
    std::string username;
    std::string password;
    Endpoint mapping;
    Time heard;
    Time review;
  };
  struct Knock {
    IdentityId box;
    IdentityId device;
    Buffer datagram;
    int tries = 1;
    Time next;
  };

  const Crypto& crypto_;
  Random& random_;
  std::unordered_map<IdentityId, Box> boxes_;
  std::unordered_map<std::string, IdentityId> usernames_;
  std::multimap<Time, IdentityId> reviews_;  // has it been heard of since? Others than Box::review are old
  std::map<wire::TransactionId, Knock> knocks_;
};

}  // namespace hearthcast::rendezvous
