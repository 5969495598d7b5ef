// DNS messages from neighbours: what decodes, encodes to what decodes alike; and no question gets a larger
// answer for itself alone.
#include <algorithm>

#include "tunnelmgr/nat/lan_service.hpp"

using namespace hearthcast;

namespace {

class Zeros final : public Random {
 public:
  void fill(MutableBytes out) override { std::ranges::fill(out, std::uint8_t{0}); }
};

void expect(bool good) {
  if (!good) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  if (const auto message = wire::decode_dns(input)) {
    expect(wire::decode_dns(wire::encode_dns(*message)).value() == *message);
  }
  Zeros random;
  nat::LanResponder responder(random);
  const Time now{std::chrono::hours{1}};
  for (const std::uint16_t port : {std::uint16_t{5353}, std::uint16_t{40000}}) {
    const auto from = Endpoint{IpAddress::ip4(0xc0a80107), port};
    const auto answer = responder.on_query(input, {1, from, true, {IpAddress::ip4(0xc0a8010a)}, 4755}, now);
    expect(!answer || answer->to.address.is_multicast() || answer->bytes.size() <= size);
  }
  nat::LanSearch search(random);
  search.want(true, now);
  (void)search.on_deadline(now + std::chrono::seconds{1});
  expect(search.on_answer(input, {IpAddress::ip4(0xc0a8010a), 5353}, true).size() <=
         nat::LanSearch::kMaxFound);
  return 0;
}
