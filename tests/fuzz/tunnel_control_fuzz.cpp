// Control packets and messages of the tunnel: what decodes must encode and decode alike, and no sequence of
// packets may break a transport. Input: a row of packets, each after its length in one octet (times eight).
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/tunnel/control_message.hpp"
#include "tunnelmgr/tunnel/control_packet.hpp"
#include "tunnelmgr/tunnel/control_transport.hpp"

using namespace hearthcast;

namespace {

void check_message(Bytes body) {
  for (const auto sender : {tunnel::Sender::kBox, tunnel::Sender::kDevice}) {
    if (const auto message = tunnel::decode_control_message(body, sender)) {
      const auto again = tunnel::decode_control_message(tunnel::encode(*message), sender);
      if (!again || !(*again == *message)) {
        __builtin_trap();
      }
    }
  }
}

void check_packet(Bytes packet) {
  const auto decoded = tunnel::decode_control_packet(packet);
  if (!decoded) {
    return;
  }
  const auto gre = std::visit([](const auto& p) { return tunnel::encode(p); }, *decoded);
  if (!tunnel::decode_control_packet(Bytes(gre).subspan(4))) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  check_message(input);
  tunnel::ControlTransport transport;
  Time now{};
  (void)transport.send(as_bytes("hello"), now);
  Reader r(input);
  while (r.left() > 0) {
    const std::size_t length = std::size_t{r.u8()} * 8;
    const auto packet = length <= r.left() ? r.take(length) : r.rest();
    check_packet(packet);
    now += std::chrono::milliseconds(50);
    (void)transport.on_packet(packet, now);
    (void)transport.on_deadline(now);
  }
  return 0;
}
