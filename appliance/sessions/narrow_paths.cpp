#include "appliance/sessions/narrow_paths.hpp"

namespace hearthcast::sessions {
namespace {

constexpr std::uint64_t kLeastUseful = 500'000;  // bit/s: less is no picture

// 8200000 as "8.2".
std::string megabits(std::uint64_t bits_per_second) {
  const std::uint64_t tenths = bits_per_second / 100'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

// A stream that takes all of a path loses again at the next trouble.
std::string what_would_fit(const tunnel::Congestion& congestion) {
  std::string text = "This channel needs about " + megabits(congestion.needed_bps) +
                     " Mbit/s, but only about " + megabits(congestion.arriving_bps) +
                     " Mbit/s of it arrive on the way to this device. ";
  const std::uint64_t fits = congestion.arriving_bps / 100 * 85;
  if (fits < kLeastUseful) {
    return text + "At present no picture fits this way. Try again later, or from another network.";
  }
  return text + "A channel of up to " + megabits(fits) + " Mbit/s would fit.";
}

}  // namespace

tunnel::Refusal NarrowPaths::note(const tunnel::Congestion& congestion, Time now) {
  const auto text = what_would_fit(congestion);
  flows_[congestion.flow] = {now + kWithheld, text};
  return {tunnel::RefusalCode::kPath, text, congestion.flow};
}

std::vector<tunnel::Refusal> NarrowPaths::withhold(FlatSet<FlowKey>& granted, Time now) {
  std::erase_if(flows_, [now](const auto& entry) { return entry.second.until <= now; });
  std::vector<tunnel::Refusal> refusals;
  for (const auto& [flow, narrow] : flows_) {
    if (granted.erase(flow) > 0) {
      refusals.push_back({tunnel::RefusalCode::kPath, narrow.text, flow});
    }
  }
  return refusals;
}

}  // namespace hearthcast::sessions
