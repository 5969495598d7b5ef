// The part of a flow that looks back: what viewers asked for again, and what came before a late joiner.
#include <algorithm>
#include <array>

#include "appliance/forward/flow.hpp"
#include "tunnelmgr/playout/payload.hpp"
#include "tunnelmgr/wire/ecn.hpp"
#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::forward {
namespace {

constexpr int kAnnouncements = 3;

// How many of the frames, from the first on, have its two bits of ECN: they go in one send.
std::size_t alike(std::span<const Bytes> frames, std::uint8_t ecn) {
  const auto other = std::ranges::find_if(frames, [ecn](Bytes frame) {
    return static_cast<std::uint8_t>(wire::ecn_of(tunnel::traffic_class_of(frame))) != ecn;
  });
  return static_cast<std::size_t>(other - frames.begin());
}

}  // namespace

// Where in the flow a player may begin. Sequence numbers begin at 0, so they are the count of framed packets.
void Flow::note_start(Bytes payload) {
  const auto octets = playout::payload_of(payload).octets;
  if (!wire::is_ts_datagram(octets)) {
    return;
  }
  for (auto left = octets; !left.empty(); left = left.subspan(wire::kTsPacketSize)) {
    if (const auto packet = wire::decode_ts(left.first(wire::kTsPacketSize))) {
      start_point_.on_packet(*packet, framed_);
    }
  }
}

void Flow::begin_prelude(Viewer& viewer) {
  const auto start = start_point_.from(framed_ - ring_.held());
  if (!start || *start == framed_) {
    return;
  }
  const auto count = static_cast<std::uint32_t>(framed_ - *start);
  viewer.prelude = {static_cast<std::uint32_t>(id_.value), static_cast<std::uint32_t>(*start), count};
  viewer.announcements = kAnnouncements;
  viewer.repair.begin_prelude(viewer.prelude.first, count);
}

void Flow::on_nack(const tunnel::Nack& nack, PeerId peer) {
  for (auto& viewer : viewers_) {
    if (viewer.id == peer) {
      viewer.repair.on_nack(nack, ring_);
    }
  }
}

// The first of a prelude names the flow's addresses in compact forms: the viewer may have heard nothing yet.
bool Flow::send_again(FormedBatch& batch, datapath::SegmentSender& sender) {
  bool owes = false;
  std::array<Bytes, datapath::kMaxBatch> memory;
  for (auto& viewer : viewers_) {
    if (viewer.repair.owes() && !viewer.peer->numbered()) {
      viewer.repair.forget();  // it went over to a form without numbers
    }
    while (viewer.repair.owes()) {
      auto frames = std::span<const Bytes>(memory).first(viewer.repair.take(ring_, memory));
      if (frames.empty()) {
        break;  // after more live traffic
      }
      const bool tell = viewer.announcements > 0;
      announce(viewer, sender);
      while (!frames.empty()) {
        const auto ecn = static_cast<std::uint8_t>(wire::ecn_of(tunnel::traffic_class_of(frames.front())));
        const auto some = frames.first(alike(frames, ecn));
        frames = frames.subspan(some.size());
        batch.begin(some, tell);
        send_to(viewer, batch, ecn, sender);
      }
    }
    owes |= viewer.repair.owes();
  }
  return owes;
}

void Flow::announce(Viewer& viewer, datapath::SegmentSender& sender) {
  if (viewer.announcements == 0) {
    return;
  }
  --viewer.announcements;
  tunnel::QuickRoom room;
  const Bytes packet = tunnel::encode(viewer.prelude, room);
  (void)sender.send(*viewer.peer, std::span(&packet, 1));
}

}  // namespace hearthcast::forward
