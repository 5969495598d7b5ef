// Points in time for pure code: monotonic, given by the caller, never read here.
#pragma once

#include <chrono>

namespace hearthcast {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = Clock::duration;

// A deadline that never comes; next_deadline() returns it when nothing is pending.
inline constexpr Time kNever = Time::max();

}  // namespace hearthcast
