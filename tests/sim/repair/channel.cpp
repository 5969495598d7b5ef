#include "tests/sim/repair/channel.hpp"

#include <algorithm>
#include <array>

namespace hearthcast::sim {
namespace {

constexpr std::size_t kFrame = 1376;  // a datagram of 1316 octets with its inner headers and GRE
constexpr std::size_t kRecordOverhead = 37;
constexpr std::uint64_t kReplayWindow = 64;      // records, OpenSSL's
constexpr std::uint32_t kGroupOfPictures = 365;  // datagrams: 0.48 s

Buffer payload_of(std::uint32_t sequence, Time sent) {
  Buffer payload;
  Writer w(payload);
  w.u32(sequence);
  w.u64(static_cast<std::uint64_t>(sent.time_since_epoch().count()));
  return payload;
}

}  // namespace

Channel::Channel(Way down, Way up, std::uint64_t seed)
    : down_(std::move(down), seed), up_(std::move(up), seed + 1) {
  receiver_.set_repair(true);
  receiver_.hint_round_trip(down_.way().delay + up_.way().delay);  // as ICE measures it
}

// Whoever watched before is gone, with what was on its way.
void Channel::join(bool prelude) {
  downward_.clear();
  upward_.clear();
  receiver_.restart(1, now_, *this);
  viewer_ = {};
  last_played_.reset();
  first_played_ = kNever;
  figures_.continuity_errors = 0;
  figures_.errors.clear();
  if (prelude) {
    const std::uint32_t count = ring_.next() % kGroupOfPictures + kGroupOfPictures;
    prelude_ = tunnel::Prelude{1, ring_.next() - count, count};
    announcements_ = 3;
    viewer_.begin_prelude(prelude_->first, count);
    send_again();
  }
}

void Channel::run(Duration duration) {
  const Time end = now_ + duration;
  for (;;) {
    const Time asked = upward_.empty() ? kNever : upward_.begin()->first;
    const Time came = downward_.empty() ? kNever : downward_.begin()->first;
    const Time next = std::min(box_pauses_.awake(std::min(next_live_, asked)),
                               viewer_pauses_.awake(std::min(receiver_.next_deadline(), came)));
    if (next > end) {
      break;
    }
    now_ = std::max(now_, next);
    if (box_pauses_.awake(now_) == now_) {
      turn_of_box();
    }
    if (viewer_pauses_.awake(now_) == now_) {
      turn_of_viewer();
    }
  }
  now_ = end;
}

void Channel::turn_of_box() {
  while (!upward_.empty() && upward_.begin()->first <= now_) {
    viewer_.on_nack(upward_.begin()->second, ring_);
    upward_.erase(upward_.begin());
  }
  while (next_live_ <= now_) {
    live();
    next_live_ += kInterval;
  }
  send_again();
}

void Channel::live() {
  const auto room = ring_.room(kFrame);
  const auto payload = payload_of(next_sequence_, now_);
  std::copy(payload.begin(), payload.end(), room.begin());
  ring_.commit(next_sequence_, room);
  to_viewer({.sequence = next_sequence_, .sent = now_});
  ++next_sequence_;
  viewer_.on_live(kFrame);
  ++figures_.sent;
  live_octets_ += kFrame + kRecordOverhead;
  rate_ += kFrame;
  if (now_ - second_ >= std::chrono::seconds{1}) {
    viewer_.set_rate(rate_);
    receiver_.hint_round_trip(round_trip_ ? round_trip_() : down_.way().delay + up_.way().delay);
    rate_ = 0;
    second_ = now_;
  }
}

void Channel::send_again() {
  std::array<Bytes, 47> frames;
  while (const auto count = viewer_.take(ring_, frames)) {
    if (prelude_ && announcements_ > 0) {
      --announcements_;
      to_viewer({.prelude = prelude_});
    }
    for (std::size_t n = 0; n < count; ++n) {
      Reader r(frames[n]);
      const auto sequence = r.u32();
      to_viewer({.sequence = sequence, .sent = Time{Duration(static_cast<Duration::rep>(r.u64()))}});
    }
  }
}

void Channel::to_viewer(Record record) {
  record.number = next_record_++;
  if (const auto when = down_.arrival(now_)) {
    downward_.emplace(*when, record);
    if (down_.repeats()) {
      downward_.emplace(*when + std::chrono::microseconds{200}, record);
    }
  }
}

// RFC 6347 section 4.1.2.6, with OpenSSL's 64 bits.
bool Channel::replayed(std::uint64_t number) {
  if (number > newest_record_) {
    const auto ahead = number - newest_record_;
    seen_records_ = ahead >= kReplayWindow ? 1 : (seen_records_ << ahead) | 1U;
    newest_record_ = number;
    return false;
  }
  const auto behind = newest_record_ - number;
  if (behind >= kReplayWindow || (seen_records_ >> behind & 1U) != 0) {
    return true;
  }
  seen_records_ |= std::uint64_t{1} << behind;
  return false;
}

void Channel::at_viewer(const Record& record) {
  if (replayed(record.number)) {
    ++figures_.replayed;
    return;
  }
  if (record.prelude) {
    receiver_.on_prelude(*record.prelude, now_);
  } else {
    (void)receiver_.on_packet(record.sequence, payload_of(record.sequence, record.sent), now_, *this);
  }
}

void Channel::turn_of_viewer() {
  while (!downward_.empty() && downward_.begin()->first <= now_) {
    at_viewer(downward_.begin()->second);
    downward_.erase(downward_.begin());
  }
  receiver_.on_deadline(now_, *this);
  while (const auto nack = receiver_.next_nack(now_)) {
    tunnel::QuickRoom room;
    asked_octets_ += tunnel::encode(*nack, room).size() + kRecordOverhead;
    if (const auto when = up_.arrival(now_)) {
      upward_.emplace(*when, *nack);
    }
  }
}

void Channel::release(Bytes payload) {
  Reader r(payload);
  const auto number = r.u32();
  const Time sent{Duration(static_cast<Duration::rep>(r.u64()))};
  if (last_played_ && number != *last_played_ + 1) {
    figures_.errors.push_back(now_);
    ++figures_.continuity_errors;
    figures_.disorder += number - *last_played_ >= 0x80000000U ? 1 : 0;
  }
  last_played_ = number;
  first_played_ = std::min(first_played_, now_);
  ++figures_.played;
  const auto added = now_ - sent - down_.way().delay;
  added_us_.push_back(
      static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::microseconds>(added).count()));
}

Figures Channel::figures() const {
  Figures result = figures_;
  result.overhead = static_cast<double>(viewer_.counters().octets +
                                        kRecordOverhead * viewer_.counters().sent + asked_octets_) /
                    static_cast<double>(live_octets_);
  if (!added_us_.empty()) {
    auto sorted = added_us_;
    std::sort(sorted.begin(), sorted.end());
    result.most_added = std::chrono::microseconds(sorted.back());
    result.usual_added = std::chrono::microseconds(sorted[sorted.size() / 2]);
  }
  return result;
}

}  // namespace hearthcast::sim
