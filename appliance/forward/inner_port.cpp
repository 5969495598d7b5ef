#include "appliance/forward/inner_port.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/tcp_segment.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"
#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::forward {
namespace {

constexpr std::size_t kGre = 4;  // a header without key and sequence number (RFC 2784)
static_assert(kGre <= linux::TunDevice::kHeadroom);

// Into the four octets before the packet.
void put_gre(MutableBytes at, Bytes ip_packet) {
  const std::uint16_t protocol = ip_packet[0] >> 4 == 4 ? wire::kGreIp4 : wire::kGreIp6;
  at[0] = at[1] = 0;
  at[2] = static_cast<std::uint8_t>(protocol >> 8);
  at[3] = static_cast<std::uint8_t>(protocol);
}

}  // namespace

void InnerPort::open(linux::Fd tun) {
  tun_.emplace(std::move(tun));
  room_.resize(datapath::kMaxBatch * kSlot);
}

bool InnerPort::on_packet(PeerId peer, Bytes ip_packet, InnerSink& sink, Time now) {
  using Kind = InnerGate::Way::Kind;
  if (!tun_ || !gate_.admits(peer)) {
    return false;
  }
  const auto way = gate_.way_in(peer, ip_packet);
  if (way.kind == Kind::kProhibited) {
    tell(peer, way.box, ip_packet, sink, now);
    return true;
  }
  if (way.kind == Kind::kOther) {
    return false;
  }
  const auto copy = MutableBytes(room_).first(ip_packet.size());  // a record is smaller than the room
  std::ranges::copy(ip_packet, copy.begin());
  tunnel::limit_segment_size(copy.subspan(tunnel::plain_header_size(copy)));
  if (way.kind == Kind::kHome) {
    if (!nat_.outward(peer, way.source, way.destination, {way.box, gate_.relay()}, copy, now)) {
      gate_.on_dropped();
      return true;
    }
    gate_.on_home(true);
  }
  if (tun_->write_packet(copy) != linux::TunWrite::kDone) {
    gate_.on_dropped();
  }
  return true;
}

void InnerPort::tell(PeerId peer, const IpAddress& box, Bytes ip_packet, InnerSink& sink, Time now) {
  const auto error = tunnel::prohibited(ip_packet, box);
  if (!error || !gate_.may_tell(peer, now)) {
    return;
  }
  const Buffer gre = tunnel::encode_membership(*error);
  const Bytes packet = gre;
  if (sink.on_inner_packets(peer, std::span(&packet, 1)) != 0) {
    gate_.on_dropped();
  }
}

// The device that a packet of the kernel is for, after the translation.
std::optional<PeerId> InnerPort::whose(MutableBytes packet) {
  using Kind = InnerGate::Way::Kind;
  const auto way = gate_.way_out(packet);
  if (way.kind == Kind::kBox) {
    return way.peer;
  }
  if (way.kind != Kind::kHome) {
    return std::nullopt;
  }
  const auto peer = nat_.backward(way.source, way.destination, packet);
  if (peer) {
    gate_.on_home(false);
  } else {
    gate_.on_kept_here();
  }
  return peer;
}

bool InnerPort::read(InnerSink& sink) {
  std::array<Bytes, datapath::kMaxBatch> batch;
  std::size_t count = 0;
  std::optional<PeerId> to;  // of the packets in the batch
  const auto flush = [&] {
    for (std::size_t lost = count == 0 ? 0 : sink.on_inner_packets(*to, std::span(batch).first(count));
         lost > 0; --lost) {
      gate_.on_dropped();
    }
    count = 0;
  };
  bool more = true;
  for (std::size_t taken = 0; taken < datapath::kMaxBatch; ++taken) {
    const auto slot = MutableBytes(room_).subspan(taken * kSlot, kSlot);
    const std::size_t size = tun_->read(slot).size();
    if (size == 0) {
      more = false;
      break;
    }
    const auto packet = slot.subspan(linux::TunDevice::kHeadroom, size);
    const auto peer = whose(packet);
    if (!peer) {
      continue;
    }
    tunnel::limit_segment_size(packet.subspan(tunnel::plain_header_size(packet)));
    const auto gre = slot.subspan(linux::TunDevice::kHeadroom - kGre, kGre + size);
    put_gre(gre, packet);
    if (to != peer) {
      flush();
      to = peer;
    }
    batch[count++] = gre;
  }
  flush();
  return more;
}

}  // namespace hearthcast::forward
