#include "appliance/channels/import.hpp"

#include <map>
#include <utility>

namespace hearthcast::channels {
namespace {

void count(ImportResult& result, LineResult line) {
  switch (line.kind) {
    case LineResult::Kind::kAdded:
      ++result.added;
      break;
    case LineResult::Kind::kUpdated:
      ++result.updated;
      break;
    case LineResult::Kind::kUnchanged:
      ++result.unchanged;
      break;
    case LineResult::Kind::kFailed:
      ++result.failed;
      break;
  }
  result.lines.push_back(std::move(line));
}

LineResult::Kind kind_of(Applied applied) {
  switch (applied) {
    case Applied::kAdded:
      return LineResult::Kind::kAdded;
    case Applied::kUpdated:
      return LineResult::Kind::kUpdated;
    case Applied::kUnchanged:
      break;
  }
  return LineResult::Kind::kUnchanged;
}

}  // namespace

ImportResult import_lines(Catalogue& catalogue, const std::vector<ImportLine>& lines) {
  ImportResult result;
  std::map<FlowKey, std::size_t> seen;  // flow to the line that had it first
  for (const ImportLine& input : lines) {
    LineResult line;
    line.line = input.line;
    if (!input.listing) {
      line.error = input.listing.error().text;
      count(result, std::move(line));
      continue;
    }
    line.name = input.listing->name;
    const auto [first, fresh] = seen.emplace(input.listing->flow, input.line);
    if (!fresh) {
      line.error = "the same address as line " + std::to_string(first->second) +
                   "; a channel is its address, so this line was left out";
    } else if (const auto outcome = catalogue.apply(*input.listing)) {
      line.kind = kind_of(outcome->applied);
      line.channel = outcome->id;
      line.name = catalogue.find(outcome->id)->name;
    } else {
      line.error = outcome.error().text;
    }
    count(result, std::move(line));
  }
  return result;
}

}  // namespace hearthcast::channels
