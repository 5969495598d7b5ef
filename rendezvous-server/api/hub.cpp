#include "rendezvous-server/api/hub.hpp"

#include <map>
#include <nlohmann/json.hpp>

#include "rendezvous-server/api/list_keeper.hpp"
#include "rendezvous-server/api/presence_port.hpp"
#include "rendezvous-server/introduce/presence.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/http/server.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"

namespace hearthcast::rendezvous {

namespace asio = boost::asio;

struct Hub::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, Log& l, const Crypto& c, Random& random, const Sha256& server_key,
        const HubSettings& settings)
      : io(context),
        log(l),
        crypto(c),
        key(server_key),
        service(c, random, server_key, "hearthcast " HEARTHCAST_VERSION, settings.policy),
        server(
            context, l,
            [this](const http::Request& request, const http::Responder& responder) {
              answer(request, responder);
            },
            limits_of(settings)),
        timer(context, [this](Time now) { on_deadline(now); }) {}

  asio::io_context& io;
  Log& log;
  const Crypto& crypto;
  const Sha256 key;
  Service service;
  http::Server server;
  runtime::MachineTimer timer;
  std::optional<PresencePort> presence;
  std::unique_ptr<ListKeeper> keeper;
  std::map<SessionId, std::shared_ptr<http::WebSocket>> sockets;  // shared with the http server's connection
  std::uint64_t last_session = 0;
  std::uint64_t presence_answered = 0;
  std::uint64_t presence_dropped = 0;
  Endpoint listening;
  Endpoint presence_at;
  bool stopped = false;

  static http::Limits limits_of(const HubSettings& settings) {
    http::Limits limits;
    limits.body_bytes = 0;
    limits.connections = settings.connections;
    limits.connections_per_source = settings.connections_per_source;
    return limits;
  }

  [[nodiscard]] HubStatus status();
  void answer(const http::Request& request, const http::Responder& responder);
  Buffer answer_datagram(Bytes datagram, const Endpoint& from);
  void adopt(const http::Request& request, const std::shared_ptr<http::WebSocket>& socket);

  void perform(Actions actions) {
    for (Action& action : actions) {
      if (auto* send = std::get_if<Send>(&action)) {
        if (const auto at = sockets.find(send->to); at != sockets.end()) {
          at->second->send(std::move(send->text));
        }
      } else if (auto* close = std::get_if<Close>(&action)) {
        if (const auto at = sockets.find(close->session); at != sockets.end()) {
          log.debug("session_closed",
                    {{"session", std::to_string(close->session.value)}, {"error", close->reason}});
          const auto socket = at->second;
          sockets.erase(at);
          socket->close(close->reason);
        }
      } else if (keeper) {
        keeper->keep(std::move(std::get<StoreAllow>(action).record));
      }
    }
    arm();
  }

  void arm() { timer.arm(stopped ? kNever : service.next_deadline()); }

  void on_deadline(Time now) {
    const auto self = shared_from_this();  // what is performed may let go of the hub
    perform(service.on_deadline(now));
  }
};

HubStatus Hub::State::status() {
  return {service.registry().boxes(),
          service.registry().devices(),
          service.allow_lists().size(),
          service.counters(),
          presence_answered,
          presence_dropped,
          server.counters().open,
          key};
}

void Hub::State::answer(const http::Request& request, const http::Responder& responder) {
  if (request.transport == http::Transport::kUnix && request.path == "/status") {
    responder.send(http::Response::json(200, to_json(status())));
    return;
  }
  responder.send(
      http::Response::text(404, "This is a Hearthcast rendezvous. There is nothing to see here.\n"));
}

Buffer Hub::State::answer_datagram(Bytes datagram, const Endpoint& from) {
  auto got = answer_presence(datagram, from, crypto, [this](const std::string& username) {
    return service.presence_password(username);
  });
  if (!got) {
    ++presence_dropped;
    return {};
  }
  ++presence_answered;
  perform(service.on_presence(got->username, from));
  return std::move(got->datagram);
}

void Hub::State::adopt(const http::Request&, const std::shared_ptr<http::WebSocket>& socket) {
  const SessionId id{++last_session};
  sockets[id] = socket;
  socket->on_text([self = shared_from_this(), id](std::string text) {
    self->perform(self->service.on_text(id, text, Clock::now()));
  });
  socket->on_close([self = shared_from_this(), id](const std::string&) {
    self->sockets.erase(id);
    self->service.on_closed(id);
  });
  perform(service.on_open(id, socket->peer(), Clock::now()));
}

Result<std::unique_ptr<Hub>, Failure> Hub::open(asio::io_context& io, Log& log, const Crypto& crypto,
                                                Random& random, std::shared_ptr<secure::TlsContext> tls,
                                                HubSettings settings) {
  auto presence = PresencePort::open(settings.presence);
  if (!presence) {
    return presence.error();
  }
  settings.policy.presence_port = presence->at().port;
  settings.policy.relay.unix_time = [] {
    return std::int64_t{
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count()};
  };
  auto state = std::make_shared<State>(io, log, crypto, random, tls->own_key().value_or(Sha256{}), settings);
  state->presence_at = presence->at();
  if (!settings.database.empty()) {
    auto opened = Store::open(settings.database);
    if (!opened) {
      return opened.error();
    }
    if (!opened->lost.empty()) {
      log.warning("database_lost", {{"error", opened->lost}});
    }
    const auto records = opened->store.load();
    if (!records) {
      return records.error();
    }
    for (const AllowRecord& record : *records) {
      if (!state->service.allow_lists().load(crypto, record)) {
        log.warning("allow_list_damaged", {{"box", record.box.to_string()}});
      }
    }
    state->keeper = std::make_unique<ListKeeper>(io, log, std::move(opened->store));
  }
  const auto listening = state->server.listen_tcp(settings.listen, std::move(tls));
  if (!listening) {
    return listening.error();
  }
  state->listening = *listening;
  if (!settings.control_socket.empty()) {
    if (const auto opened = state->server.listen_unix(settings.control_socket); !opened) {
      return opened.error();
    }
  }
  const std::weak_ptr<State> weak = state;
  state->server.on_websocket("/v1",
                             [weak](const http::Request& request, std::shared_ptr<http::WebSocket> socket) {
                               if (const auto self = weak.lock(); self && !self->stopped) {
                                 self->adopt(request, socket);
                               } else {
                                 socket->close("stopping");
                               }
                             });
  state->presence.emplace(std::move(*presence));
  state->presence->start(io, [weak](Bytes datagram, const Endpoint& from) {
    const auto self = weak.lock();
    return self ? self->answer_datagram(datagram, from) : Buffer{};
  });
  return std::unique_ptr<Hub>(new Hub(std::move(state)));
}

Hub::Hub(std::shared_ptr<State> state) : state_(std::move(state)) {}
Hub::~Hub() { stop(); }

void Hub::stop() {
  if (std::exchange(state_->stopped, true)) {
    return;
  }
  state_->arm();
  state_->presence->close();
  for (const auto& [id, socket] : std::exchange(state_->sockets, {})) {
    socket->close("the rendezvous stops");
  }
  state_->server.stop();
  if (state_->keeper) {
    state_->keeper->stop();
  }
}

HubStatus Hub::status() const { return state_->status(); }
Endpoint Hub::listening() const { return state_->listening; }
Endpoint Hub::presence() const { return state_->presence_at; }

std::string to_json(const HubStatus& status) {
  const ServiceCounters& c = status.counters;
  return nlohmann::json{
      {"pin", to_hex(status.key)},
      {"boxes", status.boxes},
      {"devices", status.devices},
      {"known_boxes", status.known_boxes},
      {"connections", status.connections},
      {"presence", {{"answered", status.presence_answered}, {"dropped", status.presence_dropped}}},
      {"counters",
       {{"hellos", c.hellos},
        {"bad_hellos", c.bad_hellos},
        {"bad_messages", c.bad_messages},
        {"introductions", c.introductions},
        {"answers", c.answers},
        {"pairings", c.pairings},
        {"refused", c.refused},
        {"limited", c.limited}}}}
      .dump();
}

}  // namespace hearthcast::rendezvous
