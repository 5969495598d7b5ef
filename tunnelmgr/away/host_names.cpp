#include "tunnelmgr/away/host_names.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <utility>

#include "tunnelmgr/runtime/machine_timer.hpp"

namespace hearthcast::away {
namespace {

namespace asio = boost::asio;
using Resolver = asio::ip::udp::resolver;

std::vector<Endpoint> endpoints_of(const Resolver::results_type& results) {
  std::vector<Endpoint> found;
  for (const auto& result : results) {
    const auto address = result.endpoint().address();
    const auto parsed = IpAddress::parse(address.is_v6() ? address.to_v6().to_string() : address.to_string());
    if (parsed) {
      found.push_back({*parsed, result.endpoint().port()});
    }
  }
  return found;
}

}  // namespace

struct HostNames::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, std::function<void(const std::vector<Endpoint>&)> on_found)
      : resolver(io), found(std::move(on_found)), timer(io, [this](Time) { ask(); }) {}

  void ask() {
    for (const auto& name : names) {
      ++pending;
      resolver.async_resolve(name.name, std::to_string(name.port), Resolver::numeric_service,
                             [weak = weak_from_this()](const boost::system::error_code& error,
                                                       const Resolver::results_type& results) {
                               const auto self = weak.lock();
                               if (!self) {
                                 return;
                               }
                               --self->pending;
                               if (!error && !results.empty()) {
                                 self->found(endpoints_of(results));
                               }
                             });
    }
    arm();
  }
  void arm() { timer.arm(wanted && !names.empty() ? Clock::now() + kAgain : kNever); }

  Resolver resolver;
  std::function<void(const std::vector<Endpoint>&)> found;
  std::vector<tunnel::ReachAddress> names;
  bool wanted = false;
  std::size_t pending = 0;  // questions on their way
  runtime::MachineTimer timer;
};

HostNames::HostNames(asio::io_context& io, std::function<void(const std::vector<Endpoint>&)> found)
    : state_(std::make_shared<State>(io, std::move(found))) {}

HostNames::~HostNames() {
  state_->resolver.cancel();
  state_->timer.arm(kNever);
}

void HostNames::set(const std::vector<tunnel::ReachAddress>& addresses) {
  std::vector<tunnel::ReachAddress> names;
  std::ranges::copy_if(addresses, std::back_inserter(names), [](const auto& a) { return !a.address; });
  if (names != state_->names) {
    state_->names = std::move(names);
    state_->resolver.cancel();
    state_->ask();
  }
}

void HostNames::want(bool wanted) {
  if (std::exchange(state_->wanted, wanted) != wanted) {
    if (wanted && state_->pending == 0) {
      state_->ask();
    } else {
      state_->arm();
    }
  }
}

void HostNames::on_network_change() {
  if (state_->wanted) {
    state_->resolver.cancel();  // what was asked there may never be answered
    state_->ask();
  }
}

}  // namespace hearthcast::away
