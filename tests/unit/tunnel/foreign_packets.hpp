// Inner packets and the far end of an encapsulation, for tests of foreign peers.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/wire/hashes.hpp"
#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/tunnel/static_peer.hpp"

namespace hearthcast::tunnel {

using wire::hex;
using wire::ip;

// An ICMPv6 echo request from 2001:db8::2 to 2001:db8::1.
inline const Buffer kInner6 =
    hex("6000000000103a4020010db800000000000000000000000220010db800000000000000000000000180005067424200016162"
        "636465666768");
// IGMP from 192.0.2.7 to 224.0.0.22, with Router Alert.
inline const Buffer kInner4 = hex("46c00020 00000000 01020000 c0000207 e0000016 94040000 2200f9fd 00000000");

inline const wire::AyiyaHashes kHashes{wire::kTestCrypto, wire::kTestOldHashes};
inline const IpAddress kBoxInside = ip("2001:db8::1");
inline const IpAddress kPeerInside = ip("2001:db8::2");

inline Moment moment(std::chrono::milliseconds after = {}) {
  return {Time(std::chrono::hours{1} + after),
          1700000000U + static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(after).count())};
}

inline Buffer sealed(Encapsulation& form, const Buffer& packet, const Moment& at = moment()) {
  Buffer slot(form.header_size());
  slot.insert(slot.end(), packet.begin(), packet.end());
  form.seal(slot, at);
  return slot;
}

inline AyiyaSettings ayiya(wire::AyiyaHash hash, bool at_box) {
  AyiyaSettings settings;
  settings.hash = hash;
  settings.local = at_box ? kBoxInside : kPeerInside;
  settings.remote = at_box ? kPeerInside : kBoxInside;
  settings.secret =
      hash == wire::AyiyaHash::kHmacSha256 ? Buffer(32, 0x5A) : Buffer{'s', 'e', 'c', 'r', 'e', 't'};
  return settings;
}

inline std::unique_ptr<Encapsulation> ayiya_end(wire::AyiyaHash hash, bool at_box) {
  return make_encapsulation(
      {.form = Form::kAyiya, .carrier = Carrier::kUdp, .gre = {}, .ayiya = ayiya(hash, at_box)}, kHashes);
}

class CountingRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (auto& octet : out) {
      octet = ++last_;
    }
  }

 private:
  std::uint8_t last_ = 0;
};

}  // namespace hearthcast::tunnel
