// A log for tests to read: one line per event, without level and time. One thread.
#pragma once

#include <vector>

#include "tunnelmgr/base/log.hpp"

namespace hearthcast {

class MemoryLog final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field> fields) override {
    std::string line(event);
    for (const Field& field : fields) {
      line += " " + std::string(field.key) + "=" + field.value;
    }
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

}  // namespace hearthcast
