#include "appliance/api/event_board.hpp"

#include <utility>

namespace hearthcast::api {

void EventBoard::update(std::vector<Event> events) {
  for (Event& event : events) {
    Posted& posted = posted_[event.type];
    if (posted.version == 0 || posted.event.key != event.key) {
      ++posted.version;
    }
    posted.event = std::move(event);  // a later reader gets the newest seconds, too
  }
}

std::string EventBoard::news(Seen& seen) const {
  std::string text;
  for (const auto& [type, posted] : posted_) {
    std::uint64_t& version = seen[type];
    if (version != posted.version) {
      version = posted.version;
      text += "event: " + type + "\ndata: " + posted.event.data + "\n\n";
    }
  }
  return text;
}

}  // namespace hearthcast::api
