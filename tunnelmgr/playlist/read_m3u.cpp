#include <algorithm>

#include "tunnelmgr/playlist/m3u.hpp"
#include "tunnelmgr/playlist/utf8.hpp"

namespace hearthcast::playlist {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

// Takes the next line off `text`, without its end: LF, CR LF or CR.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  if (end == std::string_view::npos) {
    text = {};
  } else {
    const bool two = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (two ? 2 : 1));
  }
  return line;
}

// The comma after which the name begins: the first outside quotes; with a quote that never ends, the last of
// all.
std::size_t name_comma(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      return i;
    }
  }
  return quoted ? text.rfind(',') : std::string_view::npos;
}

// key="value" and key=value, separated by blanks; what is neither is skipped.
void read_attributes(std::string_view text, Attributes& attributes) {
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
      return;
    }
    std::size_t begin = equals;
    while (begin > 0 && is_key_character(text[begin - 1])) {
      --begin;
    }
    const std::string_view key = text.substr(begin, equals - begin);
    text.remove_prefix(equals + 1);
    std::string_view value;
    if (!text.empty() && text.front() == '"') {
      text.remove_prefix(1);
      value = text.substr(0, text.find('"'));
      text.remove_prefix(std::min(text.size(), value.size() + 1));
    } else {
      value = text.substr(0, text.find_first_of(kBlanks));
      text.remove_prefix(value.size());
    }
    if (!key.empty()) {
      attributes[std::string(key)] = clean_text(value);
    }
  }
}

class M3uReader {
 public:
  void read_line(std::size_t number, std::string_view whole) {
    const bool too_long = whole.size() > kMaxLine;
    const std::string_view line = trimmed(whole.substr(0, kMaxLine));
    if (line.empty()) {
      return;
    }
    if (line.front() == '#') {
      read_directive(line);
      return;
    }
    if (too_long) {
      add(number,
          Failure{"the line is longer than " + std::to_string(kMaxLine) + " characters; no address is"});
    } else if (!is_utf8(line) || line.find('\0') != std::string_view::npos) {
      add(number, Failure{"the line is not text; save the playlist as UTF-8"});
    } else {
      add(number, parse_channel_url(line));
    }
  }
  [[nodiscard]] Playlist take() { return std::move(playlist_); }

 private:
  void read_directive(std::string_view line) {
    const auto after = [&](std::string_view name) { return trimmed(line.substr(name.size())); };
    if (line.starts_with("#EXTM3U")) {
      read_attributes(after("#EXTM3U"), playlist_.attributes);
    } else if (line.starts_with("#EXTINF:")) {
      const std::string_view text = after("#EXTINF:");
      const std::size_t comma = name_comma(text);
      name_ = comma == std::string_view::npos ? std::string() : clean_text(text.substr(comma + 1));
      attributes_.clear();
      read_attributes(text.substr(0, comma), attributes_);
    } else if (line.starts_with("#EXTGRP:")) {
      group_ = clean_text(after("#EXTGRP:"));
    }
  }

  void add(std::size_t number, Result<Entry, Failure> entry) {
    if (entry) {
      entry->name = std::move(name_);
      entry->attributes = std::move(attributes_);
      if (!group_.empty()) {
        entry->attributes.emplace("group-title", std::move(group_));
      }
    }
    playlist_.lines.push_back({number, std::move(entry)});
    name_.clear();
    attributes_.clear();
    group_.clear();
  }

  Playlist playlist_;
  // Of the directives since the last address.
  std::string name_;
  Attributes attributes_;
  std::string group_;
};

}  // namespace

Playlist read_m3u(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return {{{1, Failure{"the playlist is in UTF-16; save it as UTF-8 and import it again"}}}};
  }
  M3uReader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    reader.read_line(number, next_line(text));
  }
  return reader.take();
}

}  // namespace hearthcast::playlist
