// Counts the introductions that the rendezvous passed on and that no device of the owner made just so: a
// rendezvous that lies is told in words, a few times a minute in the log, and fills no disk. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::app {

class IntroductionDoubts {
 public:
  // reason: of a doubtful introduction, as Introducer's verdict gives it. True: worth a line in the log now.
  [[nodiscard]] bool add(const std::string& reason, Time now);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // A sentence for the owner; empty while there is nothing to doubt.
  [[nodiscard]] std::string text() const;

 private:
  std::uint64_t count_ = 0;
  std::string last_;
  int lines_ = 0;  // in this minute
  Time next_minute_{};
};

}  // namespace hearthcast::app
