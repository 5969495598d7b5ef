#include "tunnelmgr/mcast/reception.hpp"

#include <algorithm>

namespace hearthcast::mcast {

// Also moves the window: the places between the old and the new highest number are free again.
bool Stream::is_new(std::uint64_t sequence) {
  if (sequence > highest_) {
    const std::uint64_t steps = std::min<std::uint64_t>(sequence - highest_, kWindow);
    for (std::uint64_t i = 0; i < steps; ++i) {
      seen_[(sequence - i) % kWindow] = false;
    }
    highest_ = sequence;
  } else {
    ++reordered_;
  }
  const std::size_t place = sequence % kWindow;
  if (seen_[place]) {
    --reordered_;
    ++duplicates_;
    return false;
  }
  seen_[place] = true;
  return true;
}

void Stream::on_probe(const Probe& probe, std::int64_t received_ns, std::size_t octets) {
  if (packets_ == 0) {
    first_ = probe.sequence;
    highest_ = probe.sequence;
    seen_[probe.sequence % kWindow] = true;
    first_ns_ = received_ns;
    last_ns_ = received_ns;
  } else if (highest_ >= kWindow && probe.sequence <= highest_ - kWindow) {
    ++ancient_;
    return;
  } else if (!is_new(probe.sequence)) {
    return;
  }
  first_ = std::min(first_, probe.sequence);
  longest_gap_ = std::max(longest_gap_, received_ns - last_ns_);
  last_ns_ = std::max(last_ns_, received_ns);
  ++packets_;
  octets_ += octets;
  latency_.add(received_ns - probe.sent_ns);
}

std::uint64_t Stream::lost() const { return packets_ == 0 ? 0 : highest_ - first_ + 1 - packets_; }

bool Reception::on_datagram(Bytes datagram, std::int64_t received_ns) {
  const auto probe = decode_probe(datagram);
  if (!probe || (streams_.size() == kMaxStreams && !streams_.contains(probe->stream))) {
    ++strangers_;
    return false;
  }
  auto& stream = streams_[probe->stream];
  if (!stream) {
    stream = std::make_unique<Stream>();
  }
  stream->on_probe(*probe, received_ns, datagram.size());
  return true;
}

std::uint64_t Reception::packets() const {
  std::uint64_t sum = 0;
  for (const auto& [number, stream] : streams_) {
    sum += stream->packets();
  }
  return sum;
}

std::uint64_t Reception::lost() const {
  std::uint64_t sum = 0;
  for (const auto& [number, stream] : streams_) {
    sum += stream->lost();
  }
  return sum;
}

}  // namespace hearthcast::mcast
