#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"
#include "tunnelmgr/playlist/m3u.hpp"

namespace hearthcast::api {
namespace {

using channels::LineResult;
using nlohmann::json;

const char* kind_text(LineResult::Kind kind) {
  switch (kind) {
    case LineResult::Kind::kAdded:
      return "added";
    case LineResult::Kind::kUpdated:
      return "updated";
    case LineResult::Kind::kUnchanged:
      return "unchanged";
    case LineResult::Kind::kFailed:
      break;
  }
  return "failed";
}

std::vector<channels::ImportLine> import_lines(const playlist::Playlist& read) {
  std::vector<channels::ImportLine> lines;
  for (const playlist::Line& line : read.lines) {
    if (line.entry) {
      lines.push_back({line.number, channels::Listing{line.entry->flow, line.entry->rtp, line.entry->name,
                                                      line.entry->attributes}});
    } else {
      lines.push_back({line.number, line.entry.error()});
    }
  }
  return lines;
}

json render_line(const LineResult& line, const channels::Catalogue& catalogue) {
  json out = {{"line", line.line}, {"result", kind_text(line.kind)}, {"text", line.error}};
  if (!line.name.empty()) {
    out["name"] = line.name;
  }
  if (line.channel) {
    const auto* channel = catalogue.find(*line.channel);
    out["channel_id"] = line.channel->value;
    out["text"] = channel == nullptr ? std::string() : channel->flow.to_string();
  }
  return out;
}

bool is_playlist_type(const std::string& type) {
  return type == "text/plain" || type == "audio/x-mpegurl" || type == "audio/mpegurl" ||
         type == "application/vnd.apple.mpegurl" || type == "application/x-mpegurl";
}

}  // namespace

http::Response import_playlist(const Call& call, Services& services) {
  if (!is_playlist_type(media_type(call.request))) {
    return respond({415, "unsupported_media_type", "This is not an M3U playlist.",
                    "Send it as Content-Type: audio/x-mpegurl or text/plain.", ""});
  }
  const auto read = playlist::read_m3u(call.request.body);
  if (read.lines.empty()) {
    return respond({400, "empty_playlist", "There is no channel in this playlist.",
                    "A channel is a line like udp://@239.1.1.1:5000 or rtp://192.0.2.1@[ff3e::1]:5000.", ""});
  }
  const auto result = services.household.import(import_lines(read));
  if (!result) {
    return refused(result.error());
  }
  const auto& catalogue = services.household.access().catalogue();
  json lines = json::array();
  for (const LineResult& line : result->lines) {
    lines.push_back(render_line(line, catalogue));
  }
  return json_response(200, {{"added", result->added},
                             {"updated", result->updated},
                             {"unchanged", result->unchanged},
                             {"failed", result->failed},
                             {"revision", catalogue.revision()},
                             {"lines", std::move(lines)}});
}

}  // namespace hearthcast::api
