#include "appliance/store/generation.hpp"

namespace hearthcast::store {

std::optional<std::int64_t> generation_at(std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  const auto since = floor<minutes>(now - sys_days{year{2026} / January / 1}).count();
  return since > 0 && since <= kMaxGeneration ? std::optional<std::int64_t>(since) : std::nullopt;
}

}  // namespace hearthcast::store
