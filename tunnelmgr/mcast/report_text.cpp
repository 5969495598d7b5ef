#include <cstdio>

#include "tunnelmgr/mcast/report.hpp"

namespace hearthcast::mcast {
namespace {

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string us(std::int64_t nanoseconds) { return number(static_cast<double>(nanoseconds) / 1e3, 1); }

std::string of_stream(std::uint32_t id, const Stream& stream) {
  const double whole = static_cast<double>(stream.packets() + stream.lost());
  const double percent = whole > 0 ? 100.0 * static_cast<double>(stream.lost()) / whole : 0;
  const auto& latency = stream.latency();
  std::string text = "stream " + std::to_string(id) + ": " + std::to_string(stream.packets()) + " packets, " +
                     std::to_string(stream.lost()) + " lost (" + number(percent, 2) + " %), " +
                     std::to_string(stream.duplicates()) + " twice, " + std::to_string(stream.reordered()) +
                     " out of order\n  delay in us: least " + us(latency.least()) + ", median " +
                     us(latency.percentile(0.5)) + ", 99 % " + us(latency.percentile(0.99)) + ", 99.9 % " +
                     us(latency.percentile(0.999)) + ", most " + us(latency.most()) + "\n  longest silence " +
                     number(static_cast<double>(stream.longest_gap_ns()) / 1e6, 1) + " ms\n";
  if (stream.ancient() > 0) {
    text += "  " + std::to_string(stream.ancient()) + " packets came too late to be told apart\n";
  }
  if (latency.below_zero() > 0) {
    text += "  the clocks disagree: " + std::to_string(latency.below_zero()) +
            " packets came before they were sent\n";
  }
  return text;
}

}  // namespace

std::string to_text(const SendReport& report) {
  const double rate = report.seconds > 0 ? static_cast<double>(report.packets) / report.seconds : 0;
  std::string text = "sent " + std::to_string(report.packets) + " packets of " + std::to_string(report.size) +
                     " octets to " + report.flow.to_string() + " from " + report.from.address.to_string() +
                     " on " + report.interface + " in " + number(report.seconds, 2) +
                     " s: " + number(rate, 0) + " a second, " +
                     number(rate * static_cast<double>(report.size) * 8 / 1e6, 2) + " Mbit/s\n";
  if (report.refused > 0) {
    text +=
        std::to_string(report.refused) + " packets found no room in the kernel's queue and were not sent\n";
  }
  if (!report.error.empty()) {
    text += "the kernel said: " + report.error + "\n";
  }
  return text;
}

std::string to_text(const ReceiveReport& report, const Reception& reception) {
  std::string text =
      report.flow.to_string() + " on " + report.interface + ", " + number(report.seconds, 2) + " s\n";
  if (report.join_to_first_ms) {
    text += "first packet " + number(*report.join_to_first_ms, 2) + " ms after the join\n";
  } else {
    text += "nothing came\n";
  }
  for (const auto& [id, stream] : reception.streams()) {
    text += of_stream(id, *stream);
  }
  if (reception.strangers() > 0) {
    text += std::to_string(reception.strangers()) + " packets that hearthcast-mcast did not send\n";
  }
  if (report.dropped > 0) {
    text +=
        std::to_string(report.dropped) + " of the lost ones were dropped here: this receiver was too slow\n";
  }
  if (report.left) {
    text += report.leave_to_stop_ms
                ? "last packet on the link " + number(*report.leave_to_stop_ms, 2) + " ms after the leave\n"
                : std::string("still flowing on the link when the watch ended\n");
  }
  return text;
}

std::string to_text(const trace::Query& query, const trace::Outcome& outcome) {
  std::string text = "path of " + query.group.to_string() +
                     (query.source ? " from " + query.source->to_string() : std::string(" from any source")) +
                     ", asked at " + query.router.to_string() + "\n";
  int place = 0;
  for (const auto& hop : outcome.path) {
    const bool ip4 = hop.outgoing.has_value();
    text += "  " + std::to_string(++place) + "  " +
            (ip4 ? hop.outgoing->to_string() + " <- " : std::string()) + hop.incoming.to_string();
    if (!ip4) {
      text += " (interface " + std::to_string(hop.outgoing_interface) + " <- " +
              std::to_string(hop.incoming_interface) + ")";
    }
    if (hop.flow_packets != wire::kMtrace2Unknown) {
      text += ", " + std::to_string(hop.flow_packets) + " packets";
    }
    text += ", " + wire::describe(hop.code) + "\n";
  }
  const bool named = !outcome.path.empty() && !outcome.path.back().upstream.is_unspecified();
  const std::string above = named ? "the router above, " + outcome.path.back().upstream.to_string() + ","
                                  : std::string("the router above");
  switch (outcome.ending) {
    case trace::Ending::kReached:
      return text + "  the source's own link is reached\n";
    case trace::Ending::kStopped:
      return text + (wire::ends_trace(outcome.path.back().code)
                         ? std::string("  it stops there\n")
                         : "  " + above + " was not asked by the last one\n");
    case trace::Ending::kSilent:
      break;
  }
  return text + (outcome.path.empty()
                     ? "  no answer: not a router with mtrace2, or it answers only its own links\n"
                     : "  " + above + " does not answer\n");
}

}  // namespace hearthcast::mcast
