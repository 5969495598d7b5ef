#include "appliance/forward/flow.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hearthcast::forward {

Flow::Flow(AddFlow message)
    : id_(message.flow),
      key_(message.key),
      socket_(std::move(message.socket)),
      framer_(id_, {key_.group, key_.port}),
      meter_(id_) {}

void Flow::exchange_socket(std::unique_ptr<linux::MulticastSocket> socket) {
  socket_ = std::move(socket);
  meter_.on_new_socket();
}

bool Flow::forward(std::span<const linux::Datagram> datagrams, FrameSlab& slab,
                   datapath::SegmentSender& sender, Time now) {
  bool signal_came = false;
  std::array<Bytes, datapath::kMaxBatch> frames;
  std::size_t count = 0;
  for (const auto& datagram : datagrams) {
    const bool foreign = key_.source && datagram.source.address != *key_.source;
    if (foreign || datagram.payload.size() > datapath::kMaxInnerSize - tunnel::kFrameHeadroom) {
      meter_.on_dropped();
      continue;
    }
    signal_came |= meter_.on_datagram(datagram.payload, now);
    if (audience_) {
      audience_->on_datagram(datagram.payload);
    }
    if (viewers_.empty()) {
      continue;
    }
    const auto slot = slab.slot(count).first(tunnel::kFrameHeadroom + datagram.payload.size());
    std::copy(datagram.payload.begin(), datagram.payload.end(),
              slot.begin() + static_cast<std::ptrdiff_t>(tunnel::kFrameHeadroom));
    const auto frame = framer_.frame(slot, {datagram.source, datagram.hop_limit, datagram.traffic_class});
    if (!frame) {
      meter_.on_dropped();
      continue;
    }
    frames[count++] = *frame;
    if (count == frames.size()) {
      fan_out(frames, sender);
      count = 0;
    }
  }
  fan_out(std::span(frames).first(count), sender);
  return signal_came;
}

void Flow::fan_out(std::span<const Bytes> frames, datapath::SegmentSender& sender) {
  if (frames.empty()) {
    return;
  }
  for (auto& viewer : viewers_) {
    const auto sent = sender.send(*viewer.peer, frames);
    viewer.counters.packets += sent.packets;
    viewer.counters.bytes += sent.bytes;
    viewer.counters.drops += sent.drops;
  }
}

}  // namespace hearthcast::forward
