// The three commands: each runs to its end, prints its report to standard output, and returns the exit code:
// 0 when packets went, came or a router answered, 1 when not, 2 when the arguments cannot work.
#pragma once

#include <string>

namespace hearthcast::mcast {

struct SendArguments {
  std::string flow;       // GROUP[:PORT]
  std::string interface;  // empty: chosen
  std::string source;     // empty: the kernel's choice
  double rate = 100;      // packets a second; 0: as fast as it goes
  bool even = false;      // waits without sleeping, so that packets are spaced to the microsecond
  unsigned size = 1316;   // octets of UDP payload
  unsigned ttl = 16;
  std::uint64_t count = 0;  // 0: without end
  double seconds = 0;       // 0: without end
  bool json = false;
};

struct ReceiveArguments {
  std::string flow;  // [SOURCE@]GROUP[:PORT]
  std::string interface;
  double seconds = 10;      // 0: until interrupted
  std::uint64_t count = 0;  // ends earlier after so many packets; 0: does not
  bool leave = false;       // then leave and watch how long it still flows
  double quiet = 3;         // seconds of silence that count as stopped
  double watch = 15;        // seconds after which the watch gives up
  bool json = false;
};

struct TraceArguments {
  std::string flow;    // [SOURCE@]GROUP; a port is ignored
  std::string router;  // address of the last hop
  double timeout = 2;  // seconds per try
  unsigned hops = 32;
  bool json = false;
};

[[nodiscard]] int send(const SendArguments& arguments);
[[nodiscard]] int receive(const ReceiveArguments& arguments);
[[nodiscard]] int trace(const TraceArguments& arguments);

// After this SIGINT and SIGTERM end a command early; it still reports.
void stop_on_signals();
[[nodiscard]] bool stopped();

}  // namespace hearthcast::mcast
