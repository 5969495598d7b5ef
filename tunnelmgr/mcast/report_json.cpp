#include <nlohmann/json.hpp>

#include "tunnelmgr/mcast/report.hpp"

namespace hearthcast::mcast {
namespace {

using Json = nlohmann::ordered_json;

double us(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

Json flow_of(const FlowKey& flow) {
  return {{"group", flow.group.to_string()},
          {"port", flow.port},
          {"source", flow.source ? Json(flow.source->to_string()) : Json(nullptr)}};
}

Json optional_number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json of_stream(std::uint32_t id, const Stream& stream) {
  const auto& latency = stream.latency();
  return {{"stream", id},
          {"packets", stream.packets()},
          {"octets", stream.octets()},
          {"first_sequence", stream.first_sequence()},
          {"highest_sequence", stream.highest_sequence()},
          {"lost", stream.lost()},
          {"duplicates", stream.duplicates()},
          {"reordered", stream.reordered()},
          {"ancient", stream.ancient()},
          {"seconds", static_cast<double>(stream.last_ns() - stream.first_ns()) / 1e9},
          {"longest_gap_ms", static_cast<double>(stream.longest_gap_ns()) / 1e6},
          {"latency_us",
           {{"least", us(latency.least())},
            {"mean", latency.mean() / 1e3},
            {"variance", latency.variance() / 1e6},
            {"p50", us(latency.percentile(0.5))},
            {"p90", us(latency.percentile(0.9))},
            {"p99", us(latency.percentile(0.99))},
            {"p999", us(latency.percentile(0.999))},
            {"most", us(latency.most())},
            {"below_zero", latency.below_zero()}}}};
}

Json count(std::uint64_t packets) { return packets == wire::kMtrace2Unknown ? Json(nullptr) : Json(packets); }

Json of_hop(const wire::Mtrace2Response& hop) {
  Json json{{"incoming", hop.incoming.to_string()},
            {"outgoing", hop.outgoing ? Json(hop.outgoing->to_string()) : Json(nullptr)},
            {"upstream", hop.upstream.is_unspecified() ? Json(nullptr) : Json(hop.upstream.to_string())},
            {"arrival_seconds", trace::arrival_seconds(hop)},
            {"input_packets", count(hop.input_packets)},
            {"output_packets", count(hop.output_packets)},
            {"flow_packets", count(hop.flow_packets)},
            {"code", static_cast<int>(hop.code)},
            {"meaning", wire::describe(hop.code)}};
  if (!hop.outgoing) {
    json["incoming_interface"] = hop.incoming_interface;
    json["outgoing_interface"] = hop.outgoing_interface;
  }
  return json;
}

}  // namespace

std::string to_json(const SendReport& report) {
  Json json = flow_of(report.flow);
  json["interface"] = report.interface;
  json["from"] = report.from.address.to_string();
  json["packets"] = report.packets;
  json["refused"] = report.refused;
  json["size"] = report.size;
  json["seconds"] = report.seconds;
  json["error"] = report.error.empty() ? Json(nullptr) : Json(report.error);
  return json.dump() + "\n";
}

std::string to_json(const ReceiveReport& report, const Reception& reception) {
  Json json = flow_of(report.flow);
  json["interface"] = report.interface;
  json["seconds"] = report.seconds;
  json["packets"] = reception.packets();
  json["lost"] = reception.lost();
  json["strangers"] = reception.strangers();
  json["dropped_here"] = report.dropped;
  json["join_to_first_ms"] = optional_number(report.join_to_first_ms);
  json["left"] = report.left;
  json["leave_to_stop_ms"] = optional_number(report.leave_to_stop_ms);
  json["streams"] = Json::array();
  for (const auto& [id, stream] : reception.streams()) {
    json["streams"].push_back(of_stream(id, *stream));
  }
  return json.dump() + "\n";
}

std::string to_json(const trace::Query& query, const trace::Outcome& outcome) {
  static constexpr const char* kEndings[] = {"reached", "stopped", "silent"};
  Json json{{"group", query.group.to_string()},
            {"source", query.source ? Json(query.source->to_string()) : Json(nullptr)},
            {"router", query.router.to_string()},
            {"ending", kEndings[static_cast<std::size_t>(outcome.ending)]},
            {"round_trip_ms", std::chrono::duration<double, std::milli>(outcome.round_trip).count()},
            {"hop_by_hop", outcome.hop_by_hop},
            {"path", Json::array()}};
  for (const auto& hop : outcome.path) {
    json["path"].push_back(of_hop(hop));
  }
  return json.dump() + "\n";
}

}  // namespace hearthcast::mcast
