// Whatever a relay, or somebody who speaks in its name, sends: the client takes it without harm in each of
// its states, answers one message with few of its own, and still knows when it wants to be woken.
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/nat/turn_client.hpp"

namespace {

using namespace hearthcast;

// Integrity of a constant: the fuzzer may pass it, so that what lies behind is reached, too.
class WeakCrypto final : public Crypto, public OldHashes {
 public:
  Sha256 sha256(Bytes) const override { return {}; }
  Sha256 hmac_sha256(Bytes, Bytes) const override { return {}; }
  std::array<std::uint8_t, 20> hmac_sha1(Bytes, Bytes) const override { return {}; }
  Buffer hkdf_sha256(Bytes, Bytes, Bytes, std::size_t size) const override { return Buffer(size); }
  bool verify(Bytes, Bytes, Bytes) const override { return false; }
  std::array<std::uint8_t, 20> sha1(Bytes) const override { return {}; }
  std::array<std::uint8_t, 16> md5(Bytes) const override { return {}; }
};

class ZeroRandom final : public Random {
 public:
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), std::uint8_t{0}); }
};

constexpr std::size_t kMostAnswers = 2 + nat::TurnClient::kMaxPermissions;

void feed(nat::TurnClient& client, Bytes datagram, Time now) {
  const auto message = wire::decode_stun(datagram);
  if (!message) {
    return;
  }
  std::size_t sent = 0;
  for (const auto& action : client.on_stun(datagram, *message, now)) {
    sent += std::holds_alternative<nat::TurnSend>(action) ? 1U : 0U;
    if (const auto* received = std::get_if<nat::TurnReceived>(&action)) {
      (void)client.send(received->channel, received->bytes, now);
    }
  }
  if (sent > kMostAnswers || (client.active() && client.next_deadline() == kNever)) {
    __builtin_trap();
  }
}

}  // namespace

// Messages one after another, each behind its length in two octets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const WeakCrypto crypto;
  static ZeroRandom random;
  Time now{std::chrono::hours{1}};
  nat::TurnClient client(crypto, crypto, random);
  (void)client.permit({IpAddress::ip4(0x0a000001)}, now);
  (void)client.start({{IpAddress::ip4(0x0a000002), 3478}, "user", "password"}, now);
  Reader r(Bytes(data, size));
  while (r.left() > 2) {
    const std::size_t wanted = r.u16();
    feed(client, r.take(std::min(wanted, r.left())), now);
    now += std::chrono::seconds{1};
    (void)client.on_deadline(now);
  }
  return 0;
}
