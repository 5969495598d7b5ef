// Which live events each reader of the event stream still has to get. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hearthcast::api {

struct Event {
  std::string type;
  std::string data;  // JSON on one line
  std::string key;   // equal keys: nothing changed but seconds that a reader can count itself
};

class EventBoard {
 public:
  using Seen = std::map<std::string, std::uint64_t>;  // per reader; empty at first

  // The present state, one event of each type.
  void update(std::vector<Event> events);
  // What the reader has not got yet, as text of the stream (HTML standard, 9.2.6); empty when nothing.
  [[nodiscard]] std::string news(Seen& seen) const;

 private:
  struct Posted {
    std::uint64_t version = 0;
    Event event;
  };
  std::map<std::string, Posted> posted_;
};

}  // namespace hearthcast::api
