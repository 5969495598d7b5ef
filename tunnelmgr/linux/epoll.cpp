#include "tunnelmgr/linux/epoll.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace hearthcast::linux {
namespace {

constexpr int kLongestSleepMs = 3'600'000;

epoll_event interest(std::uint64_t token, bool read, bool write) {
  epoll_event event{};
  event.events =
      (read ? static_cast<std::uint32_t>(EPOLLIN) : 0U) | (write ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.u64 = token;
  return event;
}

int sleep_ms(Time deadline) {
  if (deadline == kNever) {
    return -1;
  }
  const Time now = Clock::now();
  if (deadline <= now) {
    return 0;
  }
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(ms, kLongestSleepMs));
}

}  // namespace

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
}

bool Epoll::add(int fd, std::uint64_t token, bool read, bool write) {
  epoll_event event = interest(token, read, write);
  return ::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Epoll::change(int fd, std::uint64_t token, bool read, bool write) {
  epoll_event event = interest(token, read, write);
  return ::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) == 0;
}

void Epoll::remove(int fd) { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const Epoll::Event> Epoll::wait(Time deadline) {
  const int count = ::epoll_wait(fd_.get(), raw_.data(), static_cast<int>(raw_.size()), sleep_ms(deadline));
  const std::size_t ready = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (std::size_t i = 0; i < ready; ++i) {
    const std::uint32_t bits = raw_[i].events;
    events_[i] = {raw_[i].data.u64, (bits & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0,
                  (bits & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0};
  }
  return std::span(events_).first(ready);
}

}  // namespace hearthcast::linux
