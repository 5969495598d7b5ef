// What a router says of mapped ports: what decodes, encodes to what decodes alike; and no sequence of answers
// brings the machine out of step with its own rules.
#include <algorithm>

#include "tunnelmgr/nat/port_mapping.hpp"
#include "tunnelmgr/wire/nat_pmp.hpp"
#include "tunnelmgr/wire/pcp.hpp"

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

// The input is datagrams, each led by its size (u8) and by what happens before it (u8: seconds that pass).
void walk(Bytes input) {
  Zeros random;
  nat::PortMapping mapping(random, 4755);
  const nat::Gateway gateway{*IpAddress::parse("192.168.0.1"), *IpAddress::parse("192.168.0.2")};
  Time now{std::chrono::hours{1}};
  (void)mapping.on_gateway(gateway, now);
  Reader from(input);
  while (from.left() > 2) {
    const std::size_t size = std::min<std::size_t>(from.u8(), from.left() - 1);
    now += std::chrono::seconds{from.u8()};
    if (mapping.next_deadline() <= now) {
      (void)mapping.on_deadline(now);
    }
    expect(mapping.next_deadline() > now);
    (void)mapping.on_datagram({gateway.address, wire::kPcpServerPort}, from.take(size), now);
    const auto& status = mapping.status();
    expect((status.state == nat::MappingState::kMapped) == status.external.has_value());
    expect(!status.external || (status.external->port != 0 && !status.external->address.is_private()));
  }
  (void)mapping.stop();
  expect(mapping.next_deadline() == kNever);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  if (const auto request = wire::decode_pcp_request(input)) {
    expect(wire::decode_pcp_request(wire::encode_pcp(*request)).value() == *request);
  }
  if (const auto answer = wire::decode_pcp_answer(input)) {
    expect(wire::decode_pcp_answer(wire::encode_pcp(*answer)).value() == *answer);
  }
  if (const auto answer = wire::decode_nat_pmp_answer(input);
      answer && answer->result == wire::NatPmpResult::kSuccess) {
    expect(wire::decode_nat_pmp_answer(wire::encode_nat_pmp(*answer)).value() == *answer);
  }
  walk(input);
  return 0;
}
