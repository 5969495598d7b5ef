#include "tunnelmgr/away/stream.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

namespace hearthcast::away {
namespace {

constexpr std::uint32_t kUnnumberedFlow = 1;
constexpr auto kSilence = std::chrono::milliseconds{180};  // looked for every 50 ms: noticed within 250 ms

}  // namespace

bool Stream::carries(const wire::UdpPacketHeader& header) const {
  return header.destination == Endpoint{flow_.group, flow_.port} &&
         (!flow_.source || *flow_.source == header.source.address);
}

bool Stream::on_media(const tunnel::MediaFrame& media, tunnel::MediaForm form, PeerId peer, Time now) {
  // Without numbers of the box, whoever sends to the group is one flow, in the order of arrival.
  const bool numbered = !tunnel::is_unnumbered(form);
  const std::uint32_t flow = numbered ? static_cast<std::uint32_t>(media.flow.value) : kUnnumberedFlow;
  const std::uint32_t sequence = numbered ? media.sequence : unnumbered_++;
  if (!take_flow(flow, now) || is_past(flow, sequence)) {
    return false;
  }
  last_data_ = now;
  ++forms_.at(static_cast<std::size_t>(form));
  peer_ = peer;
  const bool came = !std::exchange(present_, true);
  const auto arrival = receiver_.on_packet(sequence, media.payload, now, *this);
  if (arrival != tunnel::Arrival::kDuplicate) {
    ++packets_;
    bytes_ += media.payload.size();
  }
  return came;
}

void Stream::on_prelude(const tunnel::Prelude& prelude, Time now) {
  if (!take_flow(prelude.flow, now)) {
    return;
  }
  if (!continued_) {
    receiver_.on_prelude(prelude, now);
  } else if (!receiver_.started()) {
    passed_ = prelude;
  }
}

void Stream::on_new_session(Time now) { restart(0, now); }

void Stream::restart(std::uint32_t flow, Time now) {
  receiver_.restart(flow, now, *this);
  continued_ = packets_ > 0;
  passed_.reset();
}

bool Stream::is_past(std::uint32_t flow, std::uint32_t sequence) const {
  return passed_ && passed_->flow == flow && sequence - passed_->first < passed_->count;
}

// The box gives a flow that starts anew a higher number. Stragglers of the former one are of no use.
bool Stream::take_flow(std::uint32_t flow, Time now) {
  if (flow < receiver_.flow() && present_) {
    return false;
  }
  if (flow != receiver_.flow()) {
    restart(flow, now);
  }
  return true;
}

void Stream::release(Bytes payload) {
  buffer_.on_datagram(payload);
  fresh_ = true;
}

bool Stream::went_silent(Time now) {
  if (!present_ || now - last_data_ < kSilence) {
    return false;
  }
  present_ = false;
  return true;
}

std::optional<tunnel::Overload> Stream::overload() {
  const auto lost = receiver_.counters().lost;
  const auto tripped = breaker_.on_second(packets_ - reported_packets_, bytes_ - reported_bytes_,
                                          lost - std::exchange(reported_lost_, lost));
  reported_packets_ = packets_;
  return tripped;
}

tunnel::MediaForm Stream::usual_form() {
  const auto most = std::ranges::max_element(forms_);
  if (*most > 0) {
    form_ = static_cast<tunnel::MediaForm>(most - forms_.begin());
  }
  forms_.fill(0);
  return form_;
}

StreamCounters Stream::report(Time now) {
  StreamCounters counters;
  counters.channel = channel_;
  counters.packets = packets_;
  counters.bytes = bytes_;
  const auto& flow = receiver_.counters();
  counters.lost = flow.lost;
  counters.repaired = flow.repaired;
  counters.reordered = flow.reordered;
  counters.duplicates = flow.duplicates;
  counters.nacks = flow.nacks;
  counters.delay = receiver_.delay();
  counters.longest_hold = receiver_.take_longest_hold();
  counters.continuity_errors = buffer_.continuity_errors();
  counters.players = audience_.players().size();
  counters.form = usual_form();
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
