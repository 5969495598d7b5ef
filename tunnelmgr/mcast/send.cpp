#include <sys/prctl.h>

#include <cstring>
#include <ctime>
#include <iostream>
#include <random>

#include "tunnelmgr/linux/multicast_sender.hpp"
#include "tunnelmgr/mcast/commands.hpp"
#include "tunnelmgr/mcast/complain.hpp"
#include "tunnelmgr/mcast/flow_text.hpp"
#include "tunnelmgr/mcast/link.hpp"
#include "tunnelmgr/mcast/pacer.hpp"
#include "tunnelmgr/mcast/report.hpp"
#include "tunnelmgr/mcast/wall_clock.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::mcast {
namespace {

// From that long before the deadline an even sender waits awake: nobody wakes at the very moment.
constexpr auto kAwake = std::chrono::microseconds{200};

void wait_until(Time deadline, bool even) {
  const Time wake = even ? deadline - kAwake : deadline;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(wake - Clock::now()).count();
  if (left > 0) {
    const timespec time{left / 1'000'000'000, left % 1'000'000'000};
    ::nanosleep(&time, nullptr);  // a signal ends it
  }
  while (even && !stopped() && Clock::now() < deadline) {
  }
}

void run(linux::MulticastSender& sender, const SendArguments& arguments, SendReport& report) {
  ::prctl(PR_SET_TIMERSLACK, 1);  // nanoseconds: packets leave when they are due
  const std::uint32_t stream = std::random_device{}();
  const Time start = Clock::now();
  const Time end =
      arguments.seconds > 0
          ? start + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(arguments.seconds))
          : kNever;
  Pacer pacer(arguments.rate, arguments.count, start);
  Buffer slab(arguments.size * Pacer::kBurst);
  std::uint64_t sequence = 0;
  while (!pacer.done() && !stopped() && Clock::now() < end) {
    wait_until(std::min(pacer.next_deadline(), end), arguments.even);
    const auto due = static_cast<std::size_t>(pacer.take(Clock::now()));
    for (std::size_t i = 0; i < due; ++i) {
      encode_probe({stream, sequence + i, wall_ns()},
                   MutableBytes(slab).subspan(i * arguments.size, arguments.size));
    }
    const std::size_t sent = sender.send(slab, arguments.size, due);
    report.packets += sent;
    report.refused += due - sent;
    sequence += due;  // what was refused is lost: the receiver shall see it
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.error = sender.last_error() == 0 ? "" : std::strerror(sender.last_error());
}

}  // namespace

int send(const SendArguments& arguments) {
  const auto flow = parse_flow(arguments.flow);
  if (!flow) {
    return complain(flow.error().text, runtime::kWrongUsage);
  }
  const auto source = arguments.source.empty() ? flow->source : IpAddress::parse(arguments.source);
  if (!source && !arguments.source.empty()) {
    return complain("'" + arguments.source + "' is no address", runtime::kWrongUsage);
  }
  if (arguments.size < kProbeSize || arguments.size > 65000) {
    return complain("--size: from " + std::to_string(kProbeSize) + " to 65000 octets", runtime::kWrongUsage);
  }
  if (arguments.ttl > 255 || arguments.rate < 0) {
    return complain("--ttl: 0 to 255; --rate: 0 (unlimited) or more", runtime::kWrongUsage);
  }
  const auto link = choose_interface(arguments.interface, flow->group.family());
  if (!link) {
    return complain(link.error().text, runtime::kWrongUsage);
  }
  linux::SenderOptions options;
  options.group = {flow->group, flow->port};
  options.interface_index = link->index;
  options.hop_limit = static_cast<std::uint8_t>(arguments.ttl);
  options.source = source;
  auto sender = linux::MulticastSender::open(options);
  if (!sender) {
    return complain(sender.error().text, runtime::kFailed);
  }
  SendReport report{*flow, link->name, sender->own_endpoint(), 0, 0, arguments.size, 0, {}};
  report.flow.source.reset();
  run(*sender, arguments, report);
  std::cout << (arguments.json ? to_json(report) : to_text(report)) << std::flush;
  return report.packets > 0 && report.error.empty() ? runtime::kFine : runtime::kFailed;
}

}  // namespace hearthcast::mcast
