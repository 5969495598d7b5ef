#include "tunnelmgr/away/stream.hpp"

#include <chrono>
#include <utility>

namespace hearthcast::away {
namespace {

constexpr auto kSilence = std::chrono::milliseconds{250};

}  // namespace

bool Stream::carries(const wire::UdpPacketHeader& header) const {
  return header.destination == Endpoint{flow_.group, flow_.port} &&
         (!flow_.source || *flow_.source == header.source.address);
}

bool Stream::on_media(const tunnel::MediaFrame& media, tunnel::MediaForm form, Time now) {
  last_data_ = now;
  form_ = form;
  const bool came = !std::exchange(present_, true);
  const auto arrival = receiver_.on_sequence(media.sequence);
  // A straggler would damage a stream that has gone on; it counts, but is not played.
  if (arrival == tunnel::Arrival::kDuplicate || arrival == tunnel::Arrival::kLate) {
    return came;
  }
  ++packets_;
  bytes_ += media.payload.size();
  buffer_.on_datagram(media.payload);
  fresh_ = true;
  return came;
}

void Stream::on_new_session() {
  former_.lost += receiver_.lost();
  former_.reordered += receiver_.reordered();
  former_.duplicates += receiver_.duplicates();
  receiver_ = {};
}

bool Stream::went_silent(Time now) {
  if (!present_ || now - last_data_ < kSilence) {
    return false;
  }
  present_ = false;
  return true;
}

StreamCounters Stream::report(Time now) {
  StreamCounters counters;
  counters.channel = channel_;
  counters.packets = packets_;
  counters.bytes = bytes_;
  counters.lost = former_.lost + receiver_.lost();
  counters.reordered = former_.reordered + receiver_.reordered();
  counters.duplicates = former_.duplicates + receiver_.duplicates();
  counters.continuity_errors = buffer_.continuity_errors();
  counters.players = audience_.players().size();
  counters.form = form_;
  if (reported_at_ && now > *reported_at_) {
    const std::chrono::duration<double> passed = now - *reported_at_;
    counters.bits_per_second =
        static_cast<std::uint64_t>(static_cast<double>(bytes_ - reported_bytes_) * 8.0 / passed.count());
  }
  reported_at_ = now;
  reported_bytes_ = bytes_;
  return counters;
}

}  // namespace hearthcast::away
