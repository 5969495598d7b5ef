#include "tunnelmgr/away/web.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tunnelmgr/away/status.hpp"
#include "tunnelmgr/away/web_reach.hpp"
#include "tunnelmgr/playlist/m3u.hpp"

namespace hearthcast::away {
namespace {

using http::Response;
using Json = nlohmann::json;

constexpr std::string_view kChannel = "/channel/";

// "/channel/7" or "/channel/7.ts".
std::optional<ChannelId> channel_of(std::string_view path) {
  path.remove_prefix(kChannel.size());
  if (path.ends_with(".ts")) {
    path.remove_suffix(3);
  }
  ChannelId id;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), id.value);
  if (error != std::errc() || end != path.data() + path.size() || id.value < 0) {
    return std::nullopt;
  }
  return id;
}

Response problem(int status, const std::string& code, const std::string& text) {
  return Response::json(
      status, Json{{"code", code}, {"text", text}}.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::optional<signalling::RendezvousAddress> rendezvous_of(const Json& body) {
  if (!body.contains("rendezvous")) {
    return std::nullopt;
  }
  return signalling::RendezvousAddress::parse(body.value("rendezvous", ""), body.value("pin", "webpki"));
}

}  // namespace

bool is_own_host(std::string_view host, const Endpoint& listen) {
  if (host.empty()) {
    return true;
  }
  if (!host.ends_with(']')) {  // a bracketed IPv6 address without a port ends so
    if (const auto colon = host.rfind(':'); colon != std::string_view::npos) {
      host = host.substr(0, colon);
    }
  }
  if (host == "localhost") {
    return true;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  // An address in the header is what the player was told to open: no name server was asked.
  const auto address = IpAddress::parse(host);
  return address && (address->is_loopback() || *address == listen.address || listen.address.is_unspecified());
}

Web::Web(boost::asio::io_context& io, Log& log, Client& client, Endpoint listen)
    : io_(io), log_(log), client_(client), listen_(listen) {}

std::string Web::playlist(const http::Request& request) const {
  std::string host(request.headers.get("Host"));
  if (host.empty() || request.transport == http::Transport::kUnix) {
    host = listen_.to_string();
  }
  std::vector<playlist::PlayerEntry> entries;
  for (const auto& channel : client_.channels()) {
    entries.push_back({"http://" + host + std::string(kChannel) + std::to_string(channel.id.value),
                       channel.name, channel.attributes});
  }
  return playlist::write_m3u(entries);
}

void Web::handle(const http::Request& request, const http::Responder& responder) {
  const bool control = request.transport == http::Transport::kUnix;
  if (!control && !is_own_host(request.headers.get("Host"), listen_)) {
    responder.send(Response::text(403, "This address is for players on this machine.\n"));
    return;
  }
  if (control && request.method == "POST" && request.path == "/pair") {
    pair(request, responder);
    return;
  }
  if (control && (request.path == "/reach" || request.path == "/rendezvous")) {
    responder.send(answer_reach(client_, request));
    return;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    auto response = Response::text(405, "Only GET and HEAD are understood here.\n");
    response.headers.set("Allow", "GET, HEAD");
    responder.send(std::move(response));
    return;
  }
  if (request.path == "/playlist.m3u") {
    Response response;
    response.headers.set("Content-Type", "audio/x-mpegurl; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    response.body = playlist(request);
    responder.send(std::move(response));
  } else if (request.path.starts_with(kChannel)) {
    channel(request, responder);
  } else if (request.path == "/status") {
    responder.send(Response::json(200, status_json(client_)));
  } else if (request.path == "/channels" && control) {
    responder.send(Response::json(200, channels_json(client_)));
  } else if (request.path == "/") {
    responder.send(Response::text(
        200, "Hearthcast away client. Open /playlist.m3u in a player.\n" + status_text(client_)));
  } else {
    responder.send(Response::text(404, "There is /playlist.m3u, /channel/NUMBER and /status.\n"));
  }
}

void Web::channel(const http::Request& request, const http::Responder& responder) {
  const auto id = channel_of(request.path);
  if (!id) {
    responder.send(Response::text(404, "A channel is /channel/NUMBER; the playlist has them.\n"));
    return;
  }
  if (request.method == "GET") {
    client_.play(*id, responder);
    return;
  }
  // HEAD joins nothing.
  for (const auto& known : client_.channels()) {
    if (known.id == *id) {
      Response response;
      response.headers.set("Content-Type", "video/mp2t");
      responder.send(std::move(response));
      return;
    }
  }
  responder.send(Response::text(404, "There is no such channel.\n"));
}

void Web::pair(const http::Request& request, const http::Responder& responder) {
  const auto body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("invitation") || !body["invitation"].is_string() ||
      (body.contains("rendezvous") && !body["rendezvous"].is_string()) ||
      (body.contains("pin") && !body["pin"].is_string())) {
    responder.send(problem(400, "bad_request", "Send an invitation: a link or a code."));
    return;
  }
  const auto invitation = signalling::decode_invitation(body["invitation"].get<std::string>());
  if (!invitation) {
    responder.send(
        problem(422, "bad_invitation",
                "That is neither a pairing link (hearthcast://pair#...) nor a code of 20 symbols."));
    return;
  }
  http::PairingTask task{*invitation, rendezvous_of(body), client_.name()};
  if (body.contains("rendezvous") && !task.rendezvous) {
    responder.send(
        problem(422, "bad_rendezvous",
                "The rendezvous is wss://HOST[:PORT]/v1, its pin 64 hexadecimal digits or webpki."));
    return;
  }
  if (std::holds_alternative<signalling::PairingCode>(task.invitation) && !task.rendezvous) {
    responder.send(
        problem(422, "no_rendezvous", "With a code, say which rendezvous: --rendezvous URL [--pin PIN]."));
    return;
  }
  pairing_ = std::make_unique<http::PairingClient>(
      io_, log_, crypto_, random_, client_.identity(), std::move(task),
      [this, responder](Result<http::PairedBox, http::PairingFailure> paired) {
        if (!paired) {
          responder.send(paired.error().refused
                             ? problem(403, std::string(signalling::to_string(*paired.error().refused)),
                                       paired.error().text)
                             : problem(502, "unreachable", paired.error().text));
          return;
        }
        log_.info("paired", {{"box", paired->name}, {"direct", paired->direct ? "yes" : "no"}});
        const auto adopted = client_.adopt({paired->public_key, paired->name, paired->rendezvous,
                                            paired->addresses, manual_of(client_, paired->public_key)});
        responder.send(adopted
                           ? Response::json(200, Json{{"box", paired->name},
                                                      {"fingerprint", paired->fingerprint},
                                                      {"direct", paired->direct}}
                                                     .dump(-1, ' ', false, Json::error_handler_t::replace))
                           : problem(500, "not_stored", adopted.error().text));
      });
}

}  // namespace hearthcast::away
