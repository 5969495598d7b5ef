// AYIYA in UDP: the deployed profile (SHA-1), its SHA-256 variant, and the hardened one (HMAC-SHA-256).
//
// The first two name the sender by the 16 octets of its tunnel address. The hardened one names it by the last
// 8 of them, followed by a 64-bit number that grows with every packet, so that no two packets are alike and
// each is accepted once. docs/tunnels/ayiya.md.
#pragma once

#include "tunnelmgr/tunnel/encapsulation.hpp"
#include "tunnelmgr/tunnel/replay_cache.hpp"

namespace hearthcast::tunnel {

class AyiyaEncapsulation final : public Encapsulation {
 public:
  AyiyaEncapsulation(const AyiyaSettings& settings, wire::AyiyaHashes hashes);

  [[nodiscard]] std::size_t header_size() const override;
  [[nodiscard]] bool carries(Family) const override { return true; }
  void seal(MutableBytes slot, const Moment& moment) override;
  [[nodiscard]] Result<Opened, Drop> open(Bytes datagram, const Moment& moment) override;
  [[nodiscard]] std::optional<Buffer> signal(wire::AyiyaOpcode opcode, Bytes payload,
                                             const Moment& moment) override;

 private:
  using Identity = std::array<std::uint8_t, 16>;

  [[nodiscard]] bool is_hardened() const { return signer_.hash() == wire::AyiyaHash::kHmacSha256; }
  [[nodiscard]] bool is_remote(Bytes identity) const;
  [[nodiscard]] Identity own_identity(const Moment& moment);
  void write(MutableBytes slot, wire::AyiyaOpcode opcode, std::uint8_t next_header, const Moment& moment);
  [[nodiscard]] Result<Opened, Drop> open_payload(const wire::AyiyaPacket& packet) const;

  AyiyaSettings settings_;
  wire::AyiyaSigner signer_;
  ReplayCache seen_;
  std::uint64_t number_ = 0;  // of the last packet sent
};

// Whether the identity of a packet, unverified, is that of this remote end: to find the peer of a datagram.
[[nodiscard]] bool names_ayiya_peer(const AyiyaSettings& settings, Bytes datagram);

}  // namespace hearthcast::tunnel
