#include "rendezvous-server/api/status_text.hpp"

#include <nlohmann/json.hpp>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/http/exposition.hpp"

namespace hearthcast::rendezvous {

std::string to_json(const HubStatus& status) {
  const ServiceCounters& c = status.counters;
  return nlohmann::json{
      {"pin", to_hex(status.key)},
      {"boxes", status.boxes},
      {"devices", status.devices},
      {"known_boxes", status.known_boxes},
      {"enrolled_boxes", status.enrolled_boxes},
      {"closed_boxes", status.closed_boxes},
      {"connections", status.connections},
      {"connections_refused", status.connections_refused},
      {"connections_timed_out", status.connections_timed_out},
      {"connections_bad", status.connections_bad},
      {"connections_to_relay", status.connections_to_relay},
      {"draining", status.draining},
      {"not_ready", not_ready(status)},
      {"presence", {{"answered", status.presence_answered}, {"dropped", status.presence_dropped}}},
      {"counters",
       {{"hellos", c.hellos},
        {"bad_hellos", c.bad_hellos},
        {"bad_messages", c.bad_messages},
        {"introductions", c.introductions},
        {"moves", c.moves},
        {"answers", c.answers},
        {"pairings", c.pairings},
        {"knocks", c.knocks},
        {"refused", c.refused},
        {"limited", c.limited},
        {"enrolled", c.enrolled},
        {"not_enrolled", c.not_enrolled}}}}
      .dump();
}

std::string to_metrics(const HubStatus& status) {
  const ServiceCounters& c = status.counters;
  http::Exposition out;
  const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
    out.gauge(name, help);
    out.sample({}, value);
  };
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    out.counter(name, help);
    out.sample({}, value);
  };
  out.gauge("hearthcast_info", "Always 1; the version is a label.");
  out.sample({{"version", HEARTHCAST_VERSION}}, 1);
  gauge("hearthcast_rendezvous_ready", "Whether new clients are welcome.", not_ready(status).empty() ? 1 : 0);
  out.gauge("hearthcast_rendezvous_sessions", "Clients that have said hello.");
  out.sample({{"role", "box"}}, status.boxes);
  out.sample({{"role", "device"}}, status.devices);
  out.gauge("hearthcast_rendezvous_directory_boxes", "Boxes that the operator's directory holds.");
  out.sample({{"state", "open"}}, status.enrolled_boxes - status.closed_boxes);
  out.sample({{"state", "closed"}}, status.closed_boxes);
  gauge("hearthcast_rendezvous_allow_lists", "Boxes whose list of devices is stored.", status.known_boxes);
  gauge("hearthcast_rendezvous_connections", "Open, with or without a hello.", status.connections);
  out.counter("hearthcast_rendezvous_connections_ended_total", "Connections that were cut, by why.");
  out.sample({{"reason", "limit"}}, status.connections_refused);
  out.sample({{"reason", "slow"}}, status.connections_timed_out);
  out.sample({{"reason", "malformed"}}, status.connections_bad);
  counter("hearthcast_rendezvous_connections_to_relay_total", "Led to the relay (turn.behind).",
          status.connections_to_relay);
  out.counter("hearthcast_rendezvous_hellos_total", "By what became of them.");
  out.sample({{"result", "welcome"}}, c.hellos);
  out.sample({{"result", "bad_signature"}}, c.bad_hellos);
  out.sample({{"result", "not_enrolled"}}, c.not_enrolled);
  counter("hearthcast_rendezvous_enrolled_total", "Boxes that were let in for the first time.", c.enrolled);
  counter("hearthcast_rendezvous_introductions_total", "Carried to a box.", c.introductions);
  counter("hearthcast_rendezvous_moves_total", "New addresses of a box, told to a device.", c.moves);
  counter("hearthcast_rendezvous_answers_total", "Carried back to a device, refusals included.", c.answers);
  counter("hearthcast_rendezvous_pairings_total", "Tries to pair that were carried to a box.", c.pairings);
  counter("hearthcast_rendezvous_knocks_total", "Boxes without a WebSocket that were told of a device.",
          c.knocks);
  counter("hearthcast_rendezvous_refused_total", "Requests not allowed, or for a box that is not here.",
          c.refused);
  counter("hearthcast_rendezvous_limited_total", "What was over a rate.", c.limited);
  counter("hearthcast_rendezvous_bad_messages_total", "Malformed, or not for that role.", c.bad_messages);
  out.counter("hearthcast_rendezvous_presence_total", "Datagrams on the UDP port.");
  out.sample({{"result", "answered"}}, status.presence_answered);
  out.sample({{"result", "dropped"}}, status.presence_dropped);
  return out.text();
}

std::string not_ready(const HubStatus& status) {
  if (status.stopped) {
    return "it stops";
  }
  if (status.draining) {
    return "it is drained before a restart";
  }
  return status.stores ? "" : "its database cannot be written; the log says why";
}

}  // namespace hearthcast::rendezvous
