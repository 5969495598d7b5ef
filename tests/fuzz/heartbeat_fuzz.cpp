// Heartbeats: what decodes, encodes to one that decodes alike but for the digest.
#include "tunnelmgr/wire/heartbeat.hpp"

using namespace hearthcast;

namespace {

// Fast, and good enough to tell one text from another.
class Sum final : public OldHashes {
 public:
  [[nodiscard]] std::array<std::uint8_t, 20> sha1(Bytes) const override { return {}; }
  [[nodiscard]] std::array<std::uint8_t, 16> md5(Bytes message) const override {
    std::array<std::uint8_t, 16> out{};
    for (std::size_t i = 0; i < message.size(); ++i) {
      out[i % out.size()] = static_cast<std::uint8_t>(out[i % out.size()] * 31 + message[i]);
    }
    return out;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Sum hashes;
  const auto heartbeat = wire::decode_heartbeat({data, size});
  (void)wire::is_heartbeat_signed({data, size}, "secret", hashes);
  if (!heartbeat) {
    return 0;
  }
  const Buffer encoded = wire::encode_heartbeat(*heartbeat, "secret", hashes);
  auto again = wire::decode_heartbeat(encoded);
  if (!again || !wire::is_heartbeat_signed(encoded, "secret", hashes)) {
    __builtin_trap();
  }
  again->digest = heartbeat->digest;
  if (!(*again == *heartbeat)) {
    __builtin_trap();
  }
  return 0;
}
