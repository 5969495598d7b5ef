#include "tunnelmgr/datapath/segment_sender.hpp"

#include <algorithm>
#include <cassert>

namespace hearthcast::datapath {

SegmentSender::SegmentSender(linux::UdpSocket& socket)
    : socket_(socket), slab_(kMaxBatch * (kMaxInnerSize + kMaxRecordGrowth)) {}

void SegmentSender::flush(const Peer& peer, std::size_t stride, std::size_t count, std::size_t last_size,
                          Sent& sent) {
  if (count == 0) {
    return;
  }
  const auto result = socket_.send_segments(peer.endpoint, slab_, stride, count, last_size);
  sent.packets += result.datagrams;
  sent.drops += count - result.datagrams;
  sent.bytes += result.datagrams == count ? (count - 1) * stride + last_size : result.datagrams * stride;
}

SegmentSender::Sent SegmentSender::send(Peer& peer, std::span<const Bytes> packets) {
  assert(packets.size() <= kMaxBatch);
  Sent sent;
  // A run: records of one size, which the first sets, and at its end perhaps a shorter one.
  std::size_t stride = 0;
  std::size_t count = 0;
  std::size_t last_size = 0;
  std::size_t begin = 0;  // of the run in packets
  std::size_t index = 0;
  while (index < packets.size()) {
    // The next record must fit the run by its plaintext's size: equal plaintexts give equal records.
    if (count > 0 && (last_size < stride || packets[index].size() > packets[begin].size())) {
      flush(peer, stride, count, last_size, sent);
      count = 0;
    }
    if (count == 0) {
      begin = index;
    }
    const auto room = MutableBytes(slab_).subspan(count * stride);
    const auto size = peer.session->seal(packets[index], room);
    ++index;
    if (size == 0) {
      ++sent.drops;
      continue;
    }
    if (count == 0) {
      stride = size;
    }
    last_size = size;
    ++count;
  }
  flush(peer, stride, count, last_size, sent);
  return sent;
}

}  // namespace hearthcast::datapath
