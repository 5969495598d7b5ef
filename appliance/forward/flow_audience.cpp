#include "appliance/forward/flow_audience.hpp"

namespace hearthcast::forward {

bool FlowAudience::add(PlayerId player, linux::Fd socket, Time now) {
  const auto& ring = buffer_.ring();
  if (!players_.add(player, std::move(socket), buffer_.start(), ring.end(), now)) {
    return false;
  }
  players_.write(ring, now);
  return true;
}

}  // namespace hearthcast::forward
