#include "appliance/api/throttle.hpp"

#include <algorithm>

namespace hearthcast::api {
namespace {

constexpr std::size_t kMaxRecords = 4096;
constexpr std::chrono::minutes kSweep{1};
constexpr int kFreeFailures = 4;  // people mistype

IpAddress network_of(const IpAddress& source) {
  if (source.is_ip4()) {
    return source;
  }
  Buffer octets(source.bytes().begin(), source.bytes().end());
  std::fill(octets.begin() + 8, octets.end(), std::uint8_t{0});
  return IpAddress::from_bytes(octets).value_or(source);
}

std::chrono::seconds penalty(int failures) {
  return failures <= kFreeFailures ? std::chrono::seconds{0}
                                   : std::chrono::seconds{1LL << std::min(failures - kFreeFailures - 1, 6)};
}

}  // namespace

void Throttle::forget_old(Time now) {
  if (now < sweep_) {
    return;
  }
  sweep_ = now + kSweep;
  std::erase_if(records_, [&](const auto& entry) { return now >= entry.second.first + kWindow; });
}

std::chrono::seconds Throttle::wait(const IpAddress& source, Time now) {
  const auto at = records_.find(network_of(source));
  if (at == records_.end() || now >= at->second.first + kWindow) {
    return std::chrono::seconds{0};
  }
  const Record& record = at->second;
  const Time open =
      record.failures >= allowed_ ? record.first + kWindow : record.last + penalty(record.failures);
  return open <= now ? std::chrono::seconds{0} : std::chrono::ceil<std::chrono::seconds>(open - now);
}

void Throttle::failed(const IpAddress& source, Time now) {
  forget_old(now);
  const IpAddress network = network_of(source);
  if (records_.size() >= kMaxRecords && !records_.contains(network)) {
    // A crowd of sources: the one that was wrong longest ago makes room.
    records_.erase(
        std::ranges::min_element(records_, {}, [](const auto& entry) { return entry.second.last; }));
  }
  Record& record = records_[network];
  if (record.failures == 0 || now >= record.first + kWindow) {
    record = {0, now, now};
  }
  ++record.failures;
  record.last = now;
}

void Throttle::succeeded(const IpAddress& source) { records_.erase(network_of(source)); }

}  // namespace hearthcast::api
