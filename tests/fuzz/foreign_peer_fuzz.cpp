// A foreign peer of any form: what anybody sends moves no endpoint, and no answer is larger than its
// question.
#include <array>

#include "tunnelmgr/tunnel/static_peer.hpp"

using namespace hearthcast;
using namespace hearthcast::tunnel;

namespace {

// Hashes that nobody who does not know the secret hits by accident, at the speed that a fuzzer wants.
template <std::size_t size>
std::array<std::uint8_t, size> mixed(Bytes message, std::uint64_t state) {
  std::array<std::uint8_t, size> out{};
  for (const std::uint8_t octet : message) {
    state = (state ^ octet) * 0x9E3779B97F4A7C15U;
    state ^= state >> 29;
  }
  for (auto& octet : out) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    octet = static_cast<std::uint8_t>(state >> 56);
  }
  return out;
}

class Hashes final : public Crypto, public OldHashes {
 public:
  [[nodiscard]] Sha256 sha256(Bytes message) const override { return mixed<32>(message, 1); }
  [[nodiscard]] Sha256 hmac_sha256(Bytes, Bytes message) const override { return mixed<32>(message, 2); }
  [[nodiscard]] std::array<std::uint8_t, 20> hmac_sha1(Bytes, Bytes message) const override {
    return mixed<20>(message, 3);
  }
  [[nodiscard]] Buffer hkdf_sha256(Bytes, Bytes, Bytes, std::size_t size) const override {
    return Buffer(size);
  }
  [[nodiscard]] bool verify(Bytes, Bytes, Bytes) const override { return false; }
  [[nodiscard]] std::array<std::uint8_t, 20> sha1(Bytes message) const override {
    return mixed<20>(message, 4);
  }
  [[nodiscard]] std::array<std::uint8_t, 16> md5(Bytes message) const override {
    return mixed<16>(message, 5);
  }
};

class Zeros final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (auto& octet : out) {
      octet = 0;
    }
  }
};

const IpAddress kAddress = IpAddress::ip4(0xC0000207);

StaticPeerSettings settings(unsigned kind) {
  StaticPeerSettings s;
  s.encapsulation.form = static_cast<Form>(kind % 3);
  s.encapsulation.carrier =
      s.encapsulation.form == Form::kAyiya ? Carrier::kUdp : static_cast<Carrier>(kind / 3 % 3);
  s.encapsulation.gre = {.key = kind % 2 == 0 ? std::optional<std::uint32_t>(42) : std::nullopt,
                         .sequence = kind % 5 == 0,
                         .checksum = kind % 7 == 0};
  s.encapsulation.ayiya.hash = kind % 2 == 0 ? wire::AyiyaHash::kSha1 : wire::AyiyaHash::kHmacSha256;
  s.encapsulation.ayiya.remote = *IpAddress::parse("2001:db8::2");
  s.encapsulation.ayiya.secret = Buffer(32, 7);
  s.heartbeat = HeartbeatSettings{*IpAddress::parse("2001:db8::2"), "secret"};
  if (s.encapsulation.form != Form::kAyiya && kind % 11 != 0) {
    s.endpoint = Endpoint{kAddress, 4754};
  }
  return s;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  static const Hashes hashes;
  static Zeros random;
  StaticPeer peer(settings(data[0]), {{hashes, hashes}, random});
  const auto before = peer.endpoint();
  const Bytes datagram(data + 1, size - 1);
  const Moment moment{Time(std::chrono::hours{1}), 1700000000};
  const Endpoint from{kAddress, 1};
  (void)peer.claims(from, datagram);
  (void)peer.on_heartbeat(from, datagram, moment);
  const auto reaction = peer.on_datagram(from, datagram, moment);
  if (reaction.answer || peer.endpoint() != before) {
    __builtin_trap();  // nothing here is signed with the secret
  }
  if (!reaction.packet.empty() &&
      (reaction.packet.data() < datagram.data() ||
       reaction.packet.data() + reaction.packet.size() != datagram.data() + datagram.size())) {
    __builtin_trap();
  }
  return 0;
}
