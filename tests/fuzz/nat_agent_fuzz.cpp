// Whatever comes on the shared port as STUN: an agent of either role takes it without harm, sends nothing for
// what does not authenticate, and still knows when it wants to be woken.
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/nat/agent.hpp"

namespace {

using namespace hearthcast;

// Integrity of a constant: the fuzzer may pass it, so that what lies behind is reached, too.
class WeakCrypto final : public Crypto {
 public:
  Sha256 sha256(Bytes) const override { return {}; }
  Sha256 hmac_sha256(Bytes, Bytes) const override { return {}; }
  std::array<std::uint8_t, 20> hmac_sha1(Bytes, Bytes) const override { return {}; }
  Buffer hkdf_sha256(Bytes, Bytes, Bytes, std::size_t size) const override { return Buffer(size); }
  bool verify(Bytes, Bytes, Bytes) const override { return false; }
};

class ZeroRandom final : public Random {
 public:
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), std::uint8_t{0}); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const WeakCrypto crypto;
  static ZeroRandom random;
  const Time now{std::chrono::hours{1}};
  const Endpoint from{IpAddress::ip4(0x0a000001), 4755};
  for (const auto role : {nat::Role::kControlled, nat::Role::kControlling}) {
    nat::Agent agent(role, {"boxu", "box password"}, {"devu", "device password"}, crypto, random);
    (void)agent.on_candidates({{nat::CandidateType::kHost, from}}, now);
    std::size_t sent = 0;
    for (const auto& action : agent.on_stun(from, Bytes(data, size), now)) {
      if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
        sent += datagram->bytes.size();
      }
    }
    if (sent > 0 && (agent.next_deadline() == kNever || sent > 3 * size + 64)) {
      __builtin_trap();
    }
  }
  return 0;
}
