#include "tests/sim/seeds/summary.hpp"

#include <algorithm>
#include <sstream>

namespace hearthcast::sim {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void Summary::add(const Scenario& scenario, const Verdict& verdict) {
  ++lives_;
  for (const Recovery& recovery : verdict.recoveries) {
    gaps_[{recovery.after, scenario.loses()}].push_back(recovery.gap);
  }
  most_.packets += verdict.packets;
  most_.most_in_a_second = std::max(most_.most_in_a_second, verdict.most_in_a_second);
  most_.most_waiting = std::max(most_.most_waiting, verdict.most_waiting);
  most_.most_sessions = std::max(most_.most_sessions, verdict.most_sessions);
  most_.longest_overlap = std::max(most_.longest_overlap, verdict.longest_overlap);
}

std::size_t Summary::gaps(EventKind after, bool lossy) const {
  const auto at = gaps_.find({after, lossy});
  return at == gaps_.end() ? 0 : at->second.size();
}

Duration Summary::percentile(EventKind after, bool lossy, unsigned percent) const {
  const auto at = gaps_.find({after, lossy});
  if (at == gaps_.end()) {
    return {};
  }
  auto sorted = at->second;
  std::ranges::sort(sorted);
  return sorted[(sorted.size() - 1) * percent / 100];
}

std::string Summary::to_string() const {
  std::ostringstream text;
  text.precision(3);
  text << lives_ << " lives, " << most_.packets << " datagrams on wires; at most " << most_.most_in_a_second
       << " datagrams a second beside the stream, " << most_.most_waiting << " waiting in the world, "
       << most_.most_sessions << " sessions at one end; two paths together for "
       << seconds(most_.longest_overlap) << " s\n";
  for (const auto& [key, list] : gaps_) {
    text << "  " << sim::to_string(key.after) << (key.lossy ? ", lossy" : "") << ": " << list.size()
         << " gaps, p50 " << seconds(percentile(key.after, key.lossy, 50)) << " s, p95 "
         << seconds(percentile(key.after, key.lossy, 95)) << " s, longest "
         << seconds(percentile(key.after, key.lossy, 100)) << " s\n";
  }
  return text.str();
}

}  // namespace hearthcast::sim
