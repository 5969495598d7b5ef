#include "appliance/forward/flow.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "appliance/forward/clear_peers.hpp"
#include "tunnelmgr/tunnel/unnumbered_framing.hpp"
#include "tunnelmgr/wire/ecn.hpp"

namespace hearthcast::forward {
namespace {

constexpr auto kTellAfter = std::chrono::milliseconds{100};  // slow flows count too few packets to tell often
constexpr std::size_t kSendAtOnce = datapath::kMaxBatch;

void add(auto& total, const auto& sent) {
  total.packets += sent.packets;
  total.bytes += sent.bytes;
  total.drops += sent.drops;
}

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

bool Flow::forward(std::span<const linux::Datagram> datagrams, FormedBatch& batch,
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
    const bool came = meter_.on_datagram(datagram.payload, now);
    signal_came |= came;
    if (audience_) {
      audience_->on_datagram(datagram.payload);
    }
    if (came || viewers_.empty()) {
      ring_.clear();  // whoever comes next must not begin before this break
    }
    if (viewers_.empty()) {
      continue;
    }
    const auto its_ecn = static_cast<std::uint8_t>(wire::ecn_of(datagram.traffic_class));
    if (count > 0 && its_ecn != ecn) {
      fan_out(std::span(frames).first(count), ecn, batch, sender, now);
      count = 0;
    }
    ecn = its_ecn;
    const auto slot = ring_.room(tunnel::kFrameHeadroom + datagram.payload.size());
    std::copy(datagram.payload.begin(), datagram.payload.end(),
              slot.begin() + static_cast<std::ptrdiff_t>(tunnel::kFrameHeadroom));
    const auto frame = framer_.frame(slot, {datagram.source, datagram.hop_limit, datagram.traffic_class});
    if (!frame) {
      meter_.on_dropped();
      continue;
    }
    note_start(datagram.payload);
    ring_.commit(static_cast<std::uint32_t>(framed_++), *frame);
    frames[count++] = *frame;
    if (count == frames.size()) {
      fan_out(frames, ecn, batch, sender, now);
      count = 0;
    }
  }
  fan_out(std::span(frames).first(count), ecn, batch, sender, now);
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
  std::size_t octets = 0;
  for (const Bytes& frame : frames) {
    octets += frame.size();
  }
  for (auto& viewer : viewers_) {
    if (viewer.clear != nullptr) {
      send_clear(viewer, frames);
      continue;
    }
    if (viewer.peer->encapsulation != tunnel::Form::kGre &&
        send_unnumbered(viewer, frames, batch, ecn, sender)) {
      continue;
    }
    send_to(viewer, batch, ecn, sender);
    viewer.form = batch.form();
    viewer.repair.on_live(octets);
  }
}

bool Flow::send_unnumbered(Viewer& viewer, std::span<const Bytes> frames, FormedBatch& batch,
                           std::uint8_t ecn, datapath::SegmentSender& sender) {
  datapath::Peer& peer = *viewer.peer;
  const auto packets = peer.too_narrow && !peer.try_form
                           ? std::span<const Bytes>()
                           : batch.unnumbered(peer.encapsulation, peer.frame_limit);
  peer.try_form = false;
  peer.too_narrow = packets.empty();  // until then what is owed by number stays owed
  if (packets.empty()) {
    if (tunnel::is_unnumbered(viewer.form)) {
      batch.begin(frames, true);  // it was never told the addresses of this flow
    }
    return false;
  }
  const auto sent = sender.send(peer, packets, ecn);
  add(viewer.sent, sent);
  viewer.form = tunnel::media_form(peer.encapsulation);
  return true;
}

void Flow::send_to(Viewer& viewer, FormedBatch& batch, std::uint8_t ecn, datapath::SegmentSender& sender) {
  auto packets = batch.for_limit(viewer.peer->frame_limit);
  while (!packets.empty()) {
    const auto some = packets.first(std::min(packets.size(), kSendAtOnce));
    packets = packets.subspan(some.size());
    const auto sent = sender.send(*viewer.peer, some, ecn);
    add(viewer.sent, sent);
  }
}

void Flow::report(Time now, Statistics& statistics) {
  const auto counters = meter_.report(now);
  if (counters.packets == 0 && counters.dropped == 0) {
    return;  // nothing ever came
  }
  statistics.flows.push_back(counters);
  for (auto& viewer : viewers_) {
    viewer.repair.set_rate(counters.bits_per_second / 8);
    const auto& [packets, bytes, drops] = viewer.sent;
    statistics.viewers.push_back(
        {id_, viewer.id, packets, bytes, drops, viewer.form, viewer.repair.counters()});
  }
}

// Foreign peers get the packet in the frame, and count for themselves. Nothing is sent to them again.
void Flow::send_clear(Viewer& viewer, std::span<const Bytes> frames) {
  std::array<Bytes, datapath::kMaxBatch> packets;
  std::ranges::transform(frames, packets.begin(),
                         [](Bytes frame) { return frame.subspan(tunnel::kMediaGreSize); });
  const auto sent = viewer.clear->send(std::span(packets).first(frames.size()));
  add(viewer.sent, sent);
}

}  // namespace hearthcast::forward
