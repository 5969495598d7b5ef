#include "appliance/app/introduction_doubts.hpp"

namespace hearthcast::app {
namespace {

constexpr int kLines = 10;  // a minute

}  // namespace

bool IntroductionDoubts::add(const std::string& reason, Time now) {
  ++count_;
  bool news = reason != last_;
  last_ = reason;
  if (now >= next_minute_) {
    next_minute_ = now + std::chrono::minutes{1};
    lines_ = 0;
    news = true;
  }
  news = news && lines_ < kLines;
  lines_ += news ? 1 : 0;
  return news;
}

std::string IntroductionDoubts::text() const {
  if (count_ == 0) {
    return "";
  }
  return "It has passed on " + std::to_string(count_) + (count_ == 1 ? " introduction" : " introductions") +
         " that none of your devices made like this (the last: " + last_ +
         "). The box refused; if this goes on, do not trust this rendezvous and set another.";
}

}  // namespace hearthcast::app
