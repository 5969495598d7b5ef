#include "appliance/forward/home_relay.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::forward {
namespace {

constexpr int kAcceptsPerTurn = 16;

int family_of(const Endpoint& endpoint) { return endpoint.address.is_ip4() ? AF_INET : AF_INET6; }

// Asks the kernel's routes, without sending anything, whether the target is this machine.
bool is_this_machine(const Endpoint& target) {
  const linux::Fd probe(::socket(family_of(target), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto to = linux::to_socket_address(target, family_of(target));
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 ||
      ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    return true;  // no way there, either
  }
  return linux::to_endpoint(own).address == target.address;
}

std::optional<linux::Fd> connecting(const Endpoint& target) {
  linux::Fd fd(::socket(family_of(target), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto to = linux::to_socket_address(target, family_of(target));
  if (!fd || (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 &&
              errno != EINPROGRESS)) {
    return std::nullopt;
  }
  return fd;
}

}  // namespace

Result<void, Failure> HomeRelay::listen(const std::string& interface) {
  const auto failed = [](const std::string& what) { return linux::kernel_failure(what, errno); };
  linux::Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in6 here{};
  here.sin6_family = AF_INET6;
  if (!fd || !linux::set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0) ||
      ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                   static_cast<socklen_t>(interface.size())) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    return failed("listening on " + interface + " for connections to hosts at home");
  }
  socklen_t size = sizeof here;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&here), &size) != 0 ||
      !epoll_.add(fd.get(), first_token_)) {
    return failed("watching for connections to hosts at home");
  }
  if (listener_) {
    epoll_.remove(listener_.get());
  }
  listener_ = std::move(fd);
  port_ = ntohs(here.sin6_port);
  return boost::system::in_place_value;
}

void HomeRelay::on_event(const linux::Epoll::Event& event, Time now) {
  if (event.token == first_token_) {
    accept();
    return;
  }
  const std::uint64_t number = (event.token - first_token_) / 2;
  if (const auto at = links_.find(number);
      at != links_.end() && !at->second.link->on_event({event.token, event.readable, event.writable})) {
    end(number, now);
  }
}

void HomeRelay::accept() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    linux::Fd device(
        ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!device) {
      return;
    }
    take(std::move(device), linux::to_endpoint(from));
  }
}

void HomeRelay::take(linux::Fd device, const Endpoint& stand_in) {
  const auto* flow = nat_.find(stand_in);
  const auto count = flow == nullptr ? counts_.end() : counts_.find(flow->peer);
  const bool many = links_.size() >= kMaxInAll || (count != counts_.end() && count->second >= kMaxPerDevice);
  auto host =
      flow == nullptr || many || is_this_machine(flow->target) ? std::nullopt : connecting(flow->target);
  if (!host) {
    ++counters_.refused;
    linux::reset_when_closed(device.get());
    return;
  }
  const std::uint64_t number = ++last_;
  Entry entry{
      *flow, stand_in,
      std::make_unique<HomeLink>(epoll_, first_token_ + 2 * number, std::move(device), std::move(*host))};
  if (!entry.link->start()) {
    ++counters_.refused;
    entry.link->reset();
    return;
  }
  ++counters_.opened;
  ++counts_[entry.flow.peer];
  nat_.opened(stand_in);
  links_.emplace(number, std::move(entry));
}

void HomeRelay::end(std::uint64_t number, Time now) {
  const auto at = links_.find(number);
  nat_.closed(at->second.stand_in, now);
  if (const auto count = counts_.find(at->second.flow.peer); --count->second == 0) {
    counts_.erase(count);
  }
  links_.erase(at);
}

void HomeRelay::review(const std::function<bool(const HomeNat::Flow&)>& allowed, Time now) {
  std::vector<std::uint64_t> gone;
  for (const auto& [number, entry] : links_) {
    if (!allowed(entry.flow)) {
      entry.link->reset();
      gone.push_back(number);
    }
  }
  for (const auto number : gone) {
    end(number, now);
  }
}

}  // namespace hearthcast::forward
