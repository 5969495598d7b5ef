#include "appliance/forward/flow.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "tunnelmgr/wire/ecn.hpp"

namespace hearthcast::forward {
namespace {

constexpr auto kTellAfter = std::chrono::milliseconds{100};  // slow flows count too few packets to tell often
constexpr std::size_t kSendAtOnce = datapath::kMaxBatch;

}  // namespace

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
  std::uint8_t ecn = 0;  // of the batch
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
    const auto its_ecn = static_cast<std::uint8_t>(wire::ecn_of(datagram.traffic_class));
    if (count > 0 && its_ecn != ecn) {
      fan_out(std::span(frames).first(count), ecn, slab.batch, sender, now);
      count = 0;
    }
    ecn = its_ecn;
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
      fan_out(frames, ecn, slab.batch, sender, now);
      count = 0;
    }
  }
  fan_out(std::span(frames).first(count), ecn, slab.batch, sender, now);
  return signal_came;
}

void Flow::fan_out(std::span<const Bytes> frames, std::uint8_t ecn, FormedBatch& batch,
                   datapath::SegmentSender& sender, Time now) {
  if (frames.empty()) {
    return;
  }
  const bool tell = now - told_ >= kTellAfter;
  told_ = tell ? now : told_;
  batch.begin(frames, tell);
  for (auto& viewer : viewers_) {
    auto packets = batch.for_limit(viewer.peer->frame_limit);
    viewer.counters.form = batch.form();
    while (!packets.empty()) {
      const auto some = packets.first(std::min(packets.size(), kSendAtOnce));
      packets = packets.subspan(some.size());
      const auto sent = sender.send(*viewer.peer, some, ecn);
      viewer.counters.packets += sent.packets;
      viewer.counters.bytes += sent.bytes;
      viewer.counters.drops += sent.drops;
    }
  }
}

}  // namespace hearthcast::forward
