#include "appliance/forward/home_link.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::forward {
namespace {

// A device that went away without a word does not hold a connection for ever.
void look_after(int fd) {
  linux::set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  linux::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  linux::set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  linux::set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
  linux::set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool would_wait() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

HomeLink::HomeLink(linux::Epoll& epoll, std::uint64_t token, linux::Fd device, linux::Fd host)
    : epoll_(epoll), token_(token) {
  device_.fd = std::move(device);
  host_.fd = std::move(host);
  look_after(device_.fd.get());
  look_after(host_.fd.get());
}

HomeLink::~HomeLink() {
  for (End* end : {&device_, &host_}) {
    if (end->watched) {
      epoll_.remove(end->fd.get());
    }
  }
}

bool HomeLink::start() { return settle(); }

void HomeLink::reset() { linux::reset_when_closed(device_.fd.get()); }

bool HomeLink::on_event(const linux::Epoll::Event& event) {
  if (!connected_) {
    if (event.token == token_) {
      return true;  // what the device says waits
    }
    if (linux::get_option(host_.fd.get(), SOL_SOCKET, SO_ERROR).value_or(ECONNREFUSED) != 0) {
      reset();
      return false;
    }
    connected_ = true;
  }
  if (!flush(device_) || !flush(host_) || !pump(device_, host_) || !pump(host_, device_) || !settle()) {
    return false;
  }
  return !(device_.told_all && host_.told_all);
}

bool HomeLink::flush(End& to) {
  while (to.sent < to.pending.size()) {
    const auto wrote =
        ::send(to.fd.get(), to.pending.data() + to.sent, to.pending.size() - to.sent, MSG_NOSIGNAL);
    if (wrote < 0) {
      return would_wait();
    }
    to.sent += static_cast<std::size_t>(wrote);
  }
  to.pending.clear();
  to.sent = 0;
  return true;
}

// What does not go on at once is kept, and nothing more is read until it went.
bool HomeLink::pump(End& from, End& to) {
  for (int reads = 0; reads < kReadsPerTurn && !from.said_all && to.pending.empty(); ++reads) {
    to.pending.resize(kRoom);
    const auto got = ::recv(from.fd.get(), to.pending.data(), kRoom, 0);
    to.pending.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got < 0) {
      if (!would_wait()) {
        reset();
        return false;
      }
      break;
    }
    from.said_all = got == 0;
    if (!flush(to)) {
      reset();
      return false;
    }
  }
  if (from.said_all && to.pending.empty() && !to.told_all) {
    ::shutdown(to.fd.get(), SHUT_WR);
    to.told_all = true;
  }
  return true;
}

bool HomeLink::settle() {
  if (!connected_) {
    return watch(host_, token_ + 1, false, true);
  }
  return watch(device_, token_, !device_.said_all && host_.pending.empty(), !device_.pending.empty()) &&
         watch(host_, token_ + 1, !host_.said_all && device_.pending.empty(), !host_.pending.empty());
}

bool HomeLink::watch(End& end, std::uint64_t token, bool read, bool write) {
  const std::uint32_t interest = (read ? 1U : 0U) | (write ? 2U : 0U);
  if (interest == end.interest) {
    return true;
  }
  end.interest = interest;
  if (interest == 0) {  // a hang-up would be told again and again
    epoll_.remove(end.fd.get());
    end.watched = false;
    return true;
  }
  const bool done = end.watched ? epoll_.change(end.fd.get(), token, read, write)
                                : epoll_.add(end.fd.get(), token, read, write);
  end.watched = end.watched || done;
  return done;
}

}  // namespace hearthcast::forward
