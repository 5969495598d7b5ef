#include "tunnelmgr/datapath/segment_sender.hpp"

#include <algorithm>
#include <cassert>

#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {

SegmentSender::SegmentSender(linux::UdpSocket& socket, const RelayRoute& route)
    : socket_(socket),
      route_(route),
      slab_(kMaxBatch * (kMaxInnerSize + kMaxRecordGrowth + wire::kChannelHeaderSize)) {}

void SegmentSender::flush(Peer& peer, const Run& run, std::uint8_t ecn, Sent& sent) {
  if (run.count == 0) {
    return;
  }
  const auto to = route_.next_hop(peer.endpoint);
  if (!to) {
    sent.drops += run.count;
    return;
  }
  const auto result = socket_.send_segments(*to, slab_, run.stride, run.count, run.last_size, ecn);
  sent.packets += result.datagrams;
  sent.drops += run.count - result.datagrams;
  sent.bytes += result.datagrams == run.count ? (run.count - 1) * run.stride + run.last_size
                                              : result.datagrams * run.stride;
  if (result.outcome == linux::SendOutcome::kTooBig) {
    const std::size_t refused = result.datagrams + 1 == run.count ? run.last_size : run.stride;
    peer.refused_size = peer.refused_size == 0 ? refused : std::min(peer.refused_size, refused);
  }
}

SegmentSender::Sent SegmentSender::send(Peer& peer, std::span<const Bytes> packets, std::uint8_t ecn) {
  assert(packets.size() <= kMaxBatch);
  const auto channel = wire::channel_of(peer.endpoint);
  if (channel && route_.stream() != nullptr) {
    return send_on_stream(peer, *channel, packets);
  }
  const std::size_t headroom = channel ? wire::kChannelHeaderSize : 0;
  Sent sent;
  Run run;
  std::size_t begin = 0;  // of the run in packets
  for (std::size_t index = 0; index < packets.size(); ++index) {
    // The next record must fit the run by its plaintext's size: equal plaintexts give equal records.
    if (run.count > 0 && (run.last_size < run.stride || packets[index].size() > packets[begin].size())) {
      flush(peer, run, ecn, sent);
      run.count = 0;
    }
    if (run.count == 0) {
      begin = index;
    }
    const auto room = MutableBytes(slab_).subspan(run.count * run.stride);
    const auto record = peer.session->seal(packets[index], room.subspan(headroom));
    if (record == 0) {
      ++sent.drops;
      continue;
    }
    if (channel) {
      wire::write_channel_header(room, *channel, record);
    }
    const std::size_t size = headroom + record;
    if (run.count == 0) {
      run.stride = size;
    }
    run.last_size = size;
    ++run.count;
  }
  flush(peer, run, ecn, sent);
  return sent;
}

SegmentSender::Sent SegmentSender::send_on_stream(Peer& peer, std::uint16_t channel,
                                                  std::span<const Bytes> packets) {
  Sent sent;
  for (const Bytes packet : packets) {
    const auto record = peer.session->seal(packet, MutableBytes(slab_).subspan(wire::kChannelHeaderSize));
    if (record != 0) {
      wire::write_channel_header(slab_, channel, record);
    }
    const Bytes message = Bytes(slab_).first(wire::kChannelHeaderSize + record);
    if (record == 0 || !route_.stream()->queue(message)) {
      ++sent.drops;
      continue;
    }
    ++sent.packets;
    sent.bytes += message.size();
  }
  route_.stream()->flush();
  return sent;
}

}  // namespace hearthcast::datapath
