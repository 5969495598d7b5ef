#include "tunnelmgr/runtime/stderr_log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace hearthcast::runtime {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

bool is_plain(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\'; }

void append_quoted(std::string& line, std::string_view value) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  line += '"';
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (c == '\r') {
      line += "\\r";
    } else if (c == '\t') {
      line += "\\t";
    } else if (octet < 0x20 || octet == 0x7f) {
      line += "\\x";
      line += kHex[octet >> 4];
      line += kHex[octet & 15];
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

// Not spdlog's own: its formatter of dates takes second 0 for one that it has formatted already, and a box
// without a battery boots in it.
std::string format_time(std::chrono::system_clock::time_point at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::milliseconds>(at - day));
  std::array<char, 40> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string format_event(std::string_view event, std::initializer_list<Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (!field.value.empty() && std::ranges::all_of(field.value, is_plain)) {
      line += field.value;
    } else {
      append_quoted(line, field.value);
    }
  }
  return line;
}

std::string_view journal_priority(Level level) {
  switch (level) {
    case Level::kDebug:
      return "<7>";
    case Level::kInfo:
      return "<6>";
    case Level::kWarning:
      return "<4>";
    case Level::kError:
      break;
  }
  return "<3>";
}

bool is_journal(int fd, const char* journal_stream) {
  struct stat file {};
  return journal_stream != nullptr && ::fstat(fd, &file) == 0 &&
         std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == journal_stream;
}

StderrLog::StderrLog(Level minimum)
    : logger_(
          std::make_shared<spdlog::logger>("hearthcast", std::make_shared<spdlog::sinks::stderr_sink_mt>())),
      to_journal_(is_journal(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))) {
  logger_->set_pattern("%v");
  logger_->flush_on(spdlog::level::debug);
  set_minimum(minimum);
}

void StderrLog::set_minimum(Level minimum) { logger_->set_level(to_spdlog(minimum)); }

void StderrLog::write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (logger_->should_log(to_spdlog(level))) {
    const auto name = spdlog::level::to_string_view(to_spdlog(level));
    std::string line(to_journal_ ? journal_priority(level) : "");
    line += format_time(std::chrono::system_clock::now());
    line += ' ';
    line.append(name.data(), name.size());
    line += ' ';
    line += format_event(event, fields);
    logger_->log(to_spdlog(level), line);
  }
}

std::optional<Level> parse_level(std::string_view text) {
  if (text == "debug") {
    return Level::kDebug;
  }
  if (text == "info") {
    return Level::kInfo;
  }
  if (text == "warning") {
    return Level::kWarning;
  }
  return text == "error" ? std::optional(Level::kError) : std::nullopt;
}

}  // namespace hearthcast::runtime
