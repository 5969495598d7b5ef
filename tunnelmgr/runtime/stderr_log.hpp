// The log of a running program: one line per event on standard error, `TIME LEVEL event key=value ...`, in
// UTC. Where standard error is systemd's journal each line begins with its priority, so that `journalctl -p
// warning` finds what it should.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/base/log.hpp"

namespace spdlog {
class logger;
}

namespace hearthcast::runtime {

class StderrLog final : public Log {
 public:
  explicit StderrLog(Level minimum);
  void write(Level level, std::string_view event, std::initializer_list<Field> fields) override;
  void set_minimum(Level minimum);

 private:
  std::shared_ptr<spdlog::logger> logger_;  // shared only because spdlog makes them so
  bool to_journal_;
};

// `<N>` as of sd-daemon(3), which the journal takes off the line.
[[nodiscard]] std::string_view journal_priority(Level level);

// Whether that descriptor is what $JOURNAL_STREAM tells of, "DEVICE:INODE" (systemd.exec(5)); null: not set.
[[nodiscard]] bool is_journal(int fd, const char* journal_stream);

// 1970-01-01T00:00:00.000Z; years 0 to 9999.
[[nodiscard]] std::string format_time(std::chrono::system_clock::time_point at);

// `event key=value`; a value is quoted when it is empty or holds anything but visible ASCII without '"', '='
// and
// '\'. Inside quotes, '"' and '\' get a backslash and control characters become \n, \r, \t or \xNN, so that a
// value from outside can never forge a line.
[[nodiscard]] std::string format_event(std::string_view event, std::initializer_list<Field> fields);

[[nodiscard]] std::optional<Level> parse_level(std::string_view text);  // debug, info, warning, error

}  // namespace hearthcast::runtime
