// What the commands found, as text for people and as JSON for programs (one object, one line).
#pragma once

#include <optional>
#include <string>

#include "tunnelmgr/mcast/reception.hpp"
#include "tunnelmgr/trace/client.hpp"

namespace hearthcast::mcast {

struct SendReport {
  FlowKey flow;
  std::string interface;
  Endpoint from;
  std::uint64_t packets = 0;
  std::uint64_t refused = 0;  // packets that the kernel had no room for
  std::size_t size = 0;       // octets of each
  double seconds = 0;
  std::string error;  // the last one of the kernel; empty: none
};

struct ReceiveReport {
  FlowKey flow;
  std::string interface;
  double seconds = 0;
  std::optional<double> join_to_first_ms;  // nullopt: nothing came
  bool left = false;                       // the group was left and the link watched
  std::optional<double> leave_to_stop_ms;  // nullopt: it still flowed when the watch ended
  std::uint32_t dropped = 0;               // by this machine's kernel: the receiver was too slow
};

[[nodiscard]] std::string to_text(const SendReport& report);
[[nodiscard]] std::string to_json(const SendReport& report);
[[nodiscard]] std::string to_text(const ReceiveReport& report, const Reception& reception);
[[nodiscard]] std::string to_json(const ReceiveReport& report, const Reception& reception);
[[nodiscard]] std::string to_text(const trace::Query& query, const trace::Outcome& outcome);
[[nodiscard]] std::string to_json(const trace::Query& query, const trace::Outcome& outcome);

}  // namespace hearthcast::mcast
