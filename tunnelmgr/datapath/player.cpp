#include "tunnelmgr/datapath/player.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "tunnelmgr/playout/catch_up.hpp"

namespace hearthcast::datapath {
namespace {

constexpr auto kPatience = std::chrono::seconds{10};

iovec vector_of(Bytes octets) { return {const_cast<std::uint8_t*>(octets.data()), octets.size()}; }

}  // namespace

Player::Player(linux::Fd socket, std::uint64_t start, std::optional<std::uint64_t> paced_at, Time now)
    : socket_(std::move(socket)), start_(start), offset_(start), paced_at_(paced_at), last_progress_(now) {}

std::uint64_t Player::limit(const playout::Ring& ring) {
  if (!paced_at_) {
    return ring.end();
  }
  const std::uint64_t limit = playout::catch_up_limit(start_, *paced_at_, ring.end());
  if (limit == ring.end()) {
    paced_at_.reset();
  }
  return limit;
}

PlayerState Player::write(const playout::Ring& ring, Time now) {
  const std::uint64_t until = limit(ring);
  for (;;) {
    const auto pieces = ring.read(offset_, until);
    if (!pieces) {
      return state_ = PlayerState::kTooSlow;
    }
    if ((*pieces)[0].empty()) {
      last_progress_ = now;
      return state_ = PlayerState::kReady;
    }
    std::array<iovec, 2> vectors{vector_of((*pieces)[0]), vector_of((*pieces)[1])};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = (*pieces)[1].empty() ? 1 : 2;
    const auto written = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written > 0) {
      offset_ += static_cast<std::uint64_t>(written);
      last_progress_ = now;
      continue;
    }
    if (errno == EINTR) {
      continue;
    }
    if (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM) {
      return state_ = PlayerState::kClosed;
    }
    return state_ = now - last_progress_ >= kPatience ? PlayerState::kTooSlow : PlayerState::kBlocked;
  }
}

PlayerState Player::read() {
  std::array<char, 512> noise;
  const auto size = ::recv(socket_.get(), noise.data(), noise.size(), MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
    state_ = PlayerState::kClosed;
  }
  return state_;
}

}  // namespace hearthcast::datapath
