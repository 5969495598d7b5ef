#include "tunnelmgr/wire/turn_stream.hpp"

#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::size_t kLengthEnd = 4;  // both kinds have their length in octets 2 and 3
constexpr std::size_t kStunHeaderSize = 20;
constexpr std::uint16_t kFirstOther = 0x4000;  // a STUN type begins with two bits of zero

}  // namespace

void TurnStreamReader::put(Bytes octets) {
  if (broken_) {
    return;
  }
  octets_.erase(octets_.begin(), octets_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  octets_.insert(octets_.end(), octets.begin(), octets.end());
}

std::optional<Bytes> TurnStreamReader::next() {
  const Bytes waiting = Bytes(octets_).subspan(begin_);
  if (broken_ || waiting.size() < kLengthEnd) {
    return std::nullopt;
  }
  Reader r(waiting);
  const std::uint16_t type = r.u16();
  const std::size_t length = r.u16();
  const bool stun = type < kFirstOther;
  if (stun ? length % 4 != 0 : type > kLastChannel) {
    broken_ = true;
    return std::nullopt;
  }
  const std::size_t size = (stun ? kStunHeaderSize : kChannelHeaderSize) + length;
  const std::size_t whole = size + (stun ? 0 : turn_padding(size));
  if (waiting.size() < whole) {
    return std::nullopt;
  }
  begin_ += whole;
  return waiting.first(size);
}

}  // namespace hearthcast::wire
