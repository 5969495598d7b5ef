// Applies a whole playlist to a catalogue and says what became of each of its lines.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "appliance/channels/catalogue.hpp"

namespace hearthcast::channels {

struct ImportLine {
  std::size_t line = 0;  // in the playlist, from 1
  Result<Listing, Failure> listing;
};

struct LineResult {
  enum class Kind { kAdded, kUpdated, kUnchanged, kFailed };
  std::size_t line = 0;
  Kind kind = Kind::kFailed;
  std::optional<ChannelId> channel;
  std::string name;
  std::string error;  // for people; empty unless kFailed
};

struct ImportResult {
  std::vector<LineResult> lines;
  std::size_t added = 0;
  std::size_t updated = 0;
  std::size_t unchanged = 0;
  std::size_t failed = 0;
};

// Bad lines never stop good ones. Two lines with one address are not merged silently: the second fails and
// names the first. Channels that the playlist does not mention stay.
[[nodiscard]] ImportResult import_lines(Catalogue& catalogue, const std::vector<ImportLine>& lines);

}  // namespace hearthcast::channels
