#include "tunnelmgr/away/status.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

namespace hearthcast::away {
namespace {

using Json = nlohmann::json;

std::string dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

const char* word(LinkPhase phase) {
  switch (phase) {
    case LinkPhase::kSearching:
      return "searching";
    case LinkPhase::kHandshaking:
      return "handshaking";
    case LinkPhase::kGreeting:
      return "greeting";
    case LinkPhase::kConnected:
      return "connected";
  }
  return "";
}

std::int64_t milliseconds_of(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

Json stream_json(const StreamCounters& s) {
  return {{"channel", s.channel.value},
          {"players", s.players},
          {"packets", s.packets},
          {"bytes", s.bytes},
          {"lost", s.lost},
          {"repaired", s.repaired},
          {"reordered", s.reordered},
          {"duplicates", s.duplicates},
          {"nacks", s.nacks},
          {"delay_ms", milliseconds_of(s.delay)},
          {"longest_hold_ms", milliseconds_of(s.longest_hold)},
          {"continuity_errors", s.continuity_errors},
          {"bits_per_second", s.bits_per_second},
          {"form", tunnel::to_string(s.form)}};
}

const char* word(TunMembership::State state) {
  switch (state) {
    case TunMembership::State::kWaiting:
      return "waiting";
    case TunMembership::State::kReceiving:
      return "receiving";
    case TunMembership::State::kRefused:
      return "refused";
  }
  return "";
}

Json tun_json(const Tun& tun, const Statistics* statistics) {
  Json object{{"interface", tun.name()},
              {"addresses", Json::array()},
              {"box", Json::array()},
              {"groups", Json::array()}};
  for (const auto& [address, length] : tun.addresses()) {
    object["addresses"].push_back(address.to_string() + "/" + std::to_string(length));
  }
  for (const auto& address : tun.box_addresses()) {
    object["box"].push_back(address.to_string());
  }
  for (const auto& [subscription, listened] : tun.membership().listened()) {
    Json group{{"group", subscription.group.to_string()}, {"state", word(listened.state)}};
    if (subscription.source) {
      group["source"] = subscription.source->to_string();
    }
    if (listened.state == TunMembership::State::kRefused) {
      group["code"] = listened.code;
      group["text"] = listened.text;
    }
    object["groups"].push_back(std::move(group));
  }
  if (!tun.home().empty()) {
    object["home_hosts"] = Json::array();
    for (const HomeRoute& route : tun.home()) {
      Json host{{"host", route.host.to_string()}, {"reached", route.obstacle.empty()}};
      if (!route.obstacle.empty()) {
        host["text"] = "the network of " + route.obstacle + " has these addresses, too";
      }
      object["home_hosts"].push_back(std::move(host));
    }
  }
  const auto& packets = tun.counters();
  object["counters"] = {{"reports", packets.reports},     {"to_box", packets.to_box},
                        {"from_box", packets.from_box},   {"to_home", packets.to_home},
                        {"from_home", packets.from_home}, {"kept_here", packets.kept_here}};
  if (statistics != nullptr) {
    const auto& media = statistics->tun;
    object["segments"] = media.segments;
    object["counters"].update({{"packets", media.packets},
                               {"bytes", media.bytes},
                               {"writes", media.writes},
                               {"held_back", media.held_back},
                               {"dropped", media.dropped}});
  }
  return object;
}

Json path_json(const Client& client, const LinkStatus& link) {
  Json path{{"endpoint", link.path->to_string()}};
  if (wire::channel_of(*link.path)) {
    const auto server = client.relay().server();
    path["endpoint"] = server ? server->to_string() : "";
    path["transport"] = to_string(client.relay().transport());
  }
  if (client.is_relayed(*link.path)) {
    path["reason"] = client.relay().reason(*link.path, client.mapped());
  }
  if (link.path_type) {
    path["type"] = std::string(nat::to_string(*link.path_type));
  }
  if (link.round_trip) {
    path["round_trip_us"] = std::chrono::duration_cast<std::chrono::microseconds>(*link.round_trip).count();
  }
  if (link.path_mtu != 0) {
    path["path_mtu"] = link.path_mtu;
  }
  return path;
}

// How a channel travels, for people.
const char* described(tunnel::MediaForm form) {
  switch (form) {
    case tunnel::MediaForm::kSixInFour:
      return "bare IP packets (6in4)";
    case tunnel::MediaForm::kAyiya:
      return "packets of AYIYA";
    case tunnel::MediaForm::kFull:
      return "whole packets";
    case tunnel::MediaForm::kCompact:
      return "compact packets (the path is narrow)";
    case tunnel::MediaForm::kFragments:
      return "two packets a datagram (the path is very narrow)";
  }
  return "";
}

// What media are in, inside DTLS, and why they are not in what was asked for; empty before the box said.
std::string encapsulation_text(const Client& client) {
  const auto link = client.link();
  if (!link || !link->hello) {
    return "";
  }
  const tunnel::Form granted = link->hello->encapsulation;
  const std::string asked = tunnel::to_string(client.encapsulation());
  if (granted != client.encapsulation()) {
    return std::string(tunnel::to_string(granted)) + ", since the box does not know " + asked;
  }
  const auto* statistics = client.statistics();
  const bool fell_back = granted != tunnel::Form::kGre && statistics != nullptr &&
                         std::ranges::any_of(statistics->streams, [](const StreamCounters& stream) {
                           return stream.packets > 0 && !tunnel::is_unnumbered(stream.form);
                         });
  return fell_back ? "gre, since the path is too narrow for " + asked : asked;
}

std::string doing(const Client& client) {
  const auto& reachability = client.reachability();
  const auto link = client.link();
  return !reachability.approved || !link ? reachability.explanation : link->text;
}

}  // namespace

std::string status_json(const Client& client) {
  Json status{
      {"text", doing(client)},
      {"device",
       {{"id", client.identity().id().to_string()}, {"name", client.name()}, {"port", client.port()}}},
      {"rendezvous", client.rendezvous_text()},
      {"relay", {{"policy", to_string(client.relay_policy())}, {"text", client.relay_text()}}},
      {"channels", client.channels().size()},
      {"streams", Json::array()}};
  status["state"] = "unpaired";
  if (const auto& box = client.box()) {
    status["box"] = {{"name", box->name}};
    if (box->rendezvous) {
      status["box"]["rendezvous"] = box->rendezvous->url;
    }
  }
  if (const auto link = client.link()) {
    status["state"] = word(link->phase);
    if (link->path) {
      status["path"] = path_json(client, *link);
    }
    if (link->hello) {
      status["encapsulation"] = {{"asked", tunnel::to_string(client.encapsulation())},
                                 {"granted", tunnel::to_string(link->hello->encapsulation)},
                                 {"text", encapsulation_text(client)}};
      status["approval"] = tunnel::to_string(link->hello->state);
    }
  }
  if (const auto mapped = client.mapped()) {
    status["mapped"] = mapped->to_string();
  }
  for (const auto& [flow, text] : client.narrow()) {
    status["narrow"].push_back({{"address", flow.to_string()}, {"text", text}});
  }
  if (const auto* tun = client.tun()) {
    status["tun"] = tun_json(*tun, client.statistics());
  }
  if (const auto* statistics = client.statistics()) {
    for (const auto& stream : statistics->streams) {
      status["streams"].push_back(stream_json(stream));
    }
    const auto& port = statistics->port;
    status["counters"] = {{"datagrams", port.datagrams},      {"records", statistics->records},
                          {"rejected", port.rejected},        {"stray", port.stray},
                          {"unvouched", port.unvouched},      {"malformed", port.malformed},
                          {"unwanted", statistics->unwanted}, {"queue_full", port.queue_full},
                          {"over_budget", port.over_budget},  {"crowded", port.crowded},
                          {"kernel_drops", port.kernel_drops}};
    const auto& media = statistics->media;
    status["counters"].update({{"incomplete", media.incomplete},
                               {"unknown_flow", media.unknown_flow},
                               {"ecn_marked", media.ecn_marked},
                               {"ecn_dropped", media.ecn_dropped}});
  }
  return dump(status);
}

std::string channels_json(const Client& client) {
  auto list = Json::array();
  for (const auto& channel : client.channels()) {
    list.push_back({{"id", channel.id.value},
                    {"name", channel.name},
                    {"address", channel.flow.to_string()},
                    {"rtp", channel.rtp},
                    {"attributes", channel.attributes}});
  }
  return dump({{"channels", std::move(list)}});
}

std::string status_text(const Client& client) {
  std::string text = doing(client) + "\n";
  if (const auto link = client.link(); link && link->path_mtu != 0) {
    text += "path: packets of " + std::to_string(link->path_mtu) + " octets\n";
  }
  if (const auto words = encapsulation_text(client); !words.empty()) {
    text += "in DTLS: " + words + "\n";
  }
  text += "channels: " + std::to_string(client.channels().size()) + "\n";
  text += "rendezvous: " + client.rendezvous_text() + "\n";
  text += "relay: " + client.relay_text() + "\n";
  for (const auto& [flow, words] : client.narrow()) {
    text += flow.to_string() + ": " + words + "\n";
  }
  if (const auto* statistics = client.statistics()) {
    for (const auto& s : statistics->streams) {
      text += "channel " + std::to_string(s.channel.value) + ": " + std::to_string(s.players) + " players, " +
              std::to_string(s.bits_per_second / 1000) + " kbit/s, " + std::to_string(s.packets) +
              " packets, ";
      if (tunnel::is_unnumbered(s.form)) {
        text += std::string(described(s.form)) + ", without numbers: what is lost is not known\n";
        continue;
      }
      text += std::to_string(s.repaired) + " repaired, " + std::to_string(s.lost) + " lost, " +
              described(s.form) + "; waits up to " + std::to_string(milliseconds_of(s.delay)) +
              " ms for a repair\n";
    }
  }
  return text;
}

}  // namespace hearthcast::away
