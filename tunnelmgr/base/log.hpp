// One line per event, `event key=value ...`. Same key everywhere: device, channel, group, peer, tunnel,
// error. Secrets never enter a field.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace hearthcast {

enum class Level { kDebug, kInfo, kWarning, kError };

struct Field {
  std::string_view key;
  std::string value;
};

class Log {
 public:
  virtual ~Log() = default;
  // Safe from every thread. Values with spaces or quotes are quoted by the implementation.
  virtual void write(Level level, std::string_view event, std::initializer_list<Field> fields) = 0;

  void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kDebug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kInfo, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kWarning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kError, event, fields);
  }
};

}  // namespace hearthcast
