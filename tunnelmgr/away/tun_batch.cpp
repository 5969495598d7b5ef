#include "tunnelmgr/away/tun_batch.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace hearthcast::away {
namespace {

// linux/virtio_net.h, of which Debian 12 has a version without the last one.
constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kUdpSegments = 5;

struct FrameHeader {
  std::uint8_t flags = 0;
  std::uint8_t segmentation = 0;
  std::uint16_t header_size = 0;
  std::uint16_t segment_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
static_assert(sizeof(FrameHeader) == 10);

}  // namespace

bool TunBatch::add(const wire::UdpPacketHeader& header, Bytes payload) {
  if (payload.size() > kMostPayload) {
    return false;
  }
  if (datagrams_ == 0) {
    slab_.resize(kHeadroom + kMostPayload);
    header_ = header;
    stride_ = payload.size();
    size_ = 0;
  } else if (size_ != stride_ * datagrams_ || payload.size() > stride_ || payload.empty() ||
             datagrams_ == kMostDatagrams || size_ + payload.size() > kMostPayload || header != header_) {
    return false;
  }
  std::copy(payload.begin(), payload.end(), slab_.begin() + static_cast<std::ptrdiff_t>(kHeadroom + size_));
  size_ += payload.size();
  ++datagrams_;
  return true;
}

Bytes TunBatch::finish(std::size_t payload_at, std::size_t size, bool parted) {
  const MutableBytes head = MutableBytes(slab_).first(payload_at);
  const std::size_t headers = wire::write_udp_packet_header_for_offload(head, header_, size);
  FrameHeader frame;
  frame.flags = kNeedsChecksum;
  frame.checksum_start = static_cast<std::uint16_t>(headers - 8);
  frame.checksum_offset = 6;
  frame.header_size = static_cast<std::uint16_t>(headers);
  if (parted) {
    frame.segmentation = kUdpSegments;
    frame.segment_size = static_cast<std::uint16_t>(stride_);
  }
  const std::size_t begin = payload_at - headers - kFrameHeader;
  std::memcpy(&slab_[begin], &frame, sizeof frame);
  return Bytes(slab_).subspan(begin, kFrameHeader + headers + size);
}

Bytes TunBatch::frame() { return finish(kHeadroom, size_, datagrams_ > 1); }

Bytes TunBatch::single(std::size_t number) {
  const std::size_t at = number * stride_;
  return finish(kHeadroom + at, std::min(stride_, size_ - at), false);
}

}  // namespace hearthcast::away
