#include <algorithm>
#include <iostream>
#include <thread>

#include "tunnelmgr/base/busy_pause.hpp"
#include "tunnelmgr/linux/epoll.hpp"
#include "tunnelmgr/linux/group_watch.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/mcast/commands.hpp"
#include "tunnelmgr/mcast/complain.hpp"
#include "tunnelmgr/mcast/flow_text.hpp"
#include "tunnelmgr/mcast/link.hpp"
#include "tunnelmgr/mcast/report.hpp"
#include "tunnelmgr/mcast/wall_clock.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::mcast {
namespace {

Duration of_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

class Receiver {
 public:
  Receiver(const ReceiveArguments& arguments, ReceiveReport& report)
      : arguments_(arguments), report_(report) {}

  void run(linux::MulticastSocket& socket, std::int64_t joined_ns) {
    linux::Epoll epoll;
    if (!epoll.add(socket.fd(), 0)) {
      return;
    }
    const Time start = Clock::now();
    const Time end = arguments_.seconds > 0 ? start + of_seconds(arguments_.seconds) : kNever;
    while (!stopped() && Clock::now() < end &&
           (arguments_.count == 0 || reception_.packets() < arguments_.count)) {
      if (busy_.pause() > Duration{} && !batch_.full()) {
        std::this_thread::sleep_for(busy_.pause());  // the kernel stamps what comes meanwhile
      }
      static_cast<void>(epoll.wait(end));
      const auto received = socket.receive(batch_);
      arrived_ += received.datagrams.size();
      busy_.on_turn(arrived_, Clock::now());
      report_.dropped = batch_.overflow().value_or(report_.dropped);
      const std::int64_t now = received.datagrams.empty() ? 0 : wall_ns();
      for (const auto& datagram : received.datagrams) {
        const std::int64_t arrived = datagram.arrived_ns != 0 ? datagram.arrived_ns : now;
        if (reception_.on_datagram(datagram.payload, arrived) && !report_.join_to_first_ms) {
          report_.join_to_first_ms = static_cast<double>(arrived - joined_ns) / 1e6;
        }
      }
    }
    report_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }

  // The socket is closed already: `left_ns` is just before.
  void watch(linux::GroupWatch& link, std::int64_t left_ns) {
    linux::Epoll epoll;
    if (!epoll.add(link.fd(), 0)) {
      return;
    }
    report_.left = true;
    const Time end = Clock::now() + of_seconds(arguments_.watch);
    Time quiet = Clock::now() + of_seconds(arguments_.quiet);
    std::int64_t last = left_ns;
    while (!stopped()) {
      static_cast<void>(epoll.wait(std::min(quiet, end)));
      const Time now = Clock::now();
      if (const auto arrival = link.last_arrival()) {
        last = std::max(last, *arrival);
        quiet = now + of_seconds(arguments_.quiet);
      } else if (now >= quiet) {
        report_.leave_to_stop_ms = static_cast<double>(last - left_ns) / 1e6;
        return;
      }
      if (now >= end) {
        return;
      }
    }
  }

  [[nodiscard]] const Reception& reception() const { return reception_; }

 private:
  static constexpr std::chrono::milliseconds kLongestPause{1};

  const ReceiveArguments& arguments_;
  ReceiveReport& report_;
  Reception reception_;
  linux::ReceiveBatch batch_;
  BusyPause busy_{kLongestPause};
  std::uint64_t arrived_ = 0;
};

}  // namespace

int receive(const ReceiveArguments& arguments) {
  const auto flow = parse_flow(arguments.flow);
  if (!flow) {
    return complain(flow.error().text, runtime::kWrongUsage);
  }
  const auto link = choose_interface(arguments.interface, flow->group.family());
  if (!link) {
    return complain(link.error().text, runtime::kWrongUsage);
  }
  std::optional<linux::GroupWatch> watch;
  if (arguments.leave) {  // opened first: whoever may not watch shall know at once
    auto opened = linux::GroupWatch::open(link->index, flow->group);
    if (!opened) {
      return complain(opened.error().text, runtime::kFailed);
    }
    watch.emplace(std::move(*opened));
  }
  linux::MulticastOptions options;
  options.flow = *flow;
  options.interface_index = link->index;
  options.receive_buffer = 16 << 20;
  options.timestamps = true;
  ReceiveReport report{*flow, link->name, 0, std::nullopt, false, std::nullopt, 0};
  Receiver receiver(arguments, report);
  const std::int64_t joined_ns = wall_ns();
  auto joined = linux::MulticastSocket::join(options);
  if (!joined) {
    return complain(joined.error().text, runtime::kFailed);
  }
  std::optional<linux::MulticastSocket> socket(std::move(*joined));
  receiver.run(*socket, joined_ns);
  if (watch) {
    static_cast<void>(watch->last_arrival());  // what came before the leave
    const std::int64_t left_ns = wall_ns();
    socket.reset();
    receiver.watch(*watch, left_ns);
  }
  std::cout << (arguments.json ? to_json(report, receiver.reception())
                               : to_text(report, receiver.reception()))
            << std::flush;
  return receiver.reception().packets() > 0 ? runtime::kFine : runtime::kFailed;
}

}  // namespace hearthcast::mcast
