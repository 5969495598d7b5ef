// hearthcast-mcast: sends, receives and traces multicast, to see what a network does with it.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <limits>

#include "tunnelmgr/mcast/commands.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace {

using namespace hearthcast;

constexpr const char* kFooter =
    "GROUP is like 239.1.1.1:5000 or [ff3e::1]:5000; SOURCE@GROUP asks for one source (SSM).\n"
    "Examples:\n"
    "  hearthcast-mcast receive 10.64.0.10@232.1.1.1:5000 --seconds 30\n"
    "  hearthcast-mcast send 239.1.1.1:5000 --interface eth0 --rate 1000 --seconds 10\n"
    "  hearthcast-mcast trace 10.64.0.10@232.1.1.1 192.168.1.1\n"
    "Exit code: 0 when packets went or came, or a router answered; 1 when not; 2 for wrong usage.";

// From `least` to `most`, which a clock can count; no "nan" and no "inf", which comparisons would let
// through.
CLI::Validator number(double least, double most, const std::string& words) {
  return CLI::Validator(
      [least, most, words](std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        const bool good = end != text.c_str() && *end == '\0' && value >= least && value <= most;
        return good ? std::string() : "'" + text + "': " + words;
      },
      "");
}
const char* const kWithoutEnd = "a number of seconds up to 1000000000, 0 for no end";
const char* const kSpan = "a number of seconds from 0.001 to 1000000000";

CLI::Validator packets() {
  return CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()).description("");
}

int dispatch(int argc, char** argv) {
  CLI::App app{"Send, receive and trace multicast of both families, from any source or from one."};
  app.set_version_flag("--version", "hearthcast-mcast " HEARTHCAST_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);

  mcast::SendArguments sending;
  auto* send = app.add_subcommand("send", "send numbered packets with time stamps");
  send->add_option("group", sending.flow, "GROUP[:PORT]")->required();
  send->add_option("--interface", sending.interface, "name or number; default: that of the default route");
  send->add_option("--source", sending.source, "own address to send from");
  send->add_option("--rate", sending.rate, "packets a second; 0: as fast as it goes")
      ->check(number(0, 1e9, "packets a second up to 1000000000, 0 for as fast as it goes"))
      ->capture_default_str();
  send->add_flag("--even", sending.even, "space packets to the microsecond; takes a whole processor");
  send->add_option("--size", sending.size, "octets in each UDP payload")->capture_default_str();
  send->add_option("--ttl", sending.ttl, "routers that a packet may pass, and one more")
      ->capture_default_str();
  send->add_option("--count", sending.count, "packets; default: until stopped")->check(packets());
  send->add_option("--seconds", sending.seconds, "default, and 0: until stopped")
      ->check(number(0, 1e9, kWithoutEnd));

  mcast::ReceiveArguments receiving;
  auto* receive = app.add_subcommand("receive", "join, and tell loss, order, duplicates and delay");
  receive->add_option("flow", receiving.flow, "[SOURCE@]GROUP[:PORT]")->required();
  receive->add_option("--interface", receiving.interface,
                      "name or number; default: that of the default route");
  receive->add_option("--seconds", receiving.seconds, "0: until stopped")
      ->check(number(0, 1e9, kWithoutEnd))
      ->capture_default_str();
  receive->add_option("--count", receiving.count, "end after so many packets")->check(packets());
  receive->add_flag("--leave", receiving.leave, "then leave and watch how long packets still come (root)");
  receive->add_option("--quiet", receiving.quiet, "with --leave: seconds of silence that count as stopped")
      ->check(number(0.001, 1e9, kSpan))
      ->capture_default_str();
  receive->add_option("--watch", receiving.watch, "with --leave: seconds until giving up")
      ->check(number(0.001, 1e9, kSpan))
      ->capture_default_str();

  mcast::TraceArguments tracing;
  auto* trace = app.add_subcommand("trace", "ask the routers for the path of a group (mtrace2, RFC 8487)");
  trace->add_option("flow", tracing.flow, "[SOURCE@]GROUP")->required();
  trace->add_option("router", tracing.router, "the address of your own router, or of the box")->required();
  trace->add_option("--timeout", tracing.timeout, "seconds per try")
      ->check(number(0.001, 3600, "a number of seconds from 0.001 to 3600"))
      ->capture_default_str();
  trace->add_option("--hops", tracing.hops, "routers at most")->capture_default_str();

  for (auto [command, json] : {std::pair{send, &sending.json}, std::pair{receive, &receiving.json},
                               std::pair{trace, &tracing.json}}) {
    command->add_flag("--json", *json, "print one JSON object");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? runtime::kFine : runtime::kWrongUsage;
  }
  mcast::stop_on_signals();
  if (send->parsed()) {
    return mcast::send(sending);
  }
  return receive->parsed() ? mcast::receive(receiving) : mcast::trace(tracing);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "hearthcast-mcast: " << error.what() << "\n";
    return runtime::kFailed;
  }
}
