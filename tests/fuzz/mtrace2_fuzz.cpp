// Mtrace2: what decodes must encode and decode alike, and a responder that meets it must stay within its
// size.
#include "tunnelmgr/trace/responder.hpp"

using namespace hearthcast;

namespace {

struct Open : trace::RouteLookup {
  std::optional<trace::RouteFacts> route(const IpAddress& group, const std::optional<IpAddress>&,
                                         std::uint32_t) const override {
    trace::RouteFacts facts;
    facts.upstream = group.is_ip4() ? IpAddress::parse("192.0.2.1") : IpAddress::parse("2001:db8::1");
    return facts;
  }
  bool on_link(std::uint32_t, const IpAddress&) const override { return true; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto message = wire::decode_mtrace2(input);
  if (message) {
    const auto again = wire::decode_mtrace2(wire::encode_mtrace2(*message));
    if (!again || !(*again == *message)) {
      __builtin_trap();
    }
  }
  trace::ResponderSettings settings;
  settings.forward = size % 2 == 0;
  trace::Responder responder(settings, Time{});
  const trace::Arrival arrival{{message ? message->client : IpAddress(), 1}, 1, 255, false};
  const auto sent = responder.on_datagram(input, arrival, Open{}, 0, Time{});
  if (sent &&
      (!message || sent->datagram.size() > settings.largest || !wire::decode_mtrace2(sent->datagram))) {
    __builtin_trap();
  }
  return 0;
}
