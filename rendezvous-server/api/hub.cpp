#include "rendezvous-server/api/hub.hpp"

#include <map>

#include "rendezvous-server/api/admin.hpp"
#include "rendezvous-server/api/list_keeper.hpp"
#include "rendezvous-server/api/presence_port.hpp"
#include "rendezvous-server/api/status_text.hpp"
#include "rendezvous-server/introduce/presence.hpp"
#include "tunnelmgr/http/server.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"

namespace hearthcast::rendezvous {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kOperatorsBody = std::size_t{64} * 1024;

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct Hub::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, Log& l, const Crypto& c, Random& random, const Sha256& server_key,
        const HubSettings& settings)
      : io(context),
        log(l),
        crypto(c),
        key(server_key),
        connects(settings.connects),
        service(c, random, server_key, "hearthcast " HEARTHCAST_VERSION, settings.policy),
        server(
            context, l,
            [this](const http::Request& request, const http::Responder& responder) {
              answer(request, responder);
            },
            limits_of(settings)),
        health(
            context, l,
            [this](const http::Request& request, const http::Responder& responder) {
              if (!answer_health(request, responder)) {
                responder.send(http::Response::text(404, "There are /metrics, /healthz and /readyz.\n"));
              }
            },
            health_limits()),
        admin(
            service, c, random, unix_seconds, [this](Actions actions) { perform(std::move(actions)); },
            [this] { return keeper.get(); }),
        timer(context, [this](Time now) { on_deadline(now); }) {}

  asio::io_context& io;
  Log& log;
  const Crypto& crypto;
  Sha256 key;
  RateLimiter<IpAddress> connects;
  Service service;
  http::Server server;
  http::Server health;
  Admin admin;
  runtime::MachineTimer timer;
  std::optional<PresencePort> presence;
  std::unique_ptr<ListKeeper> keeper;
  std::map<SessionId, std::shared_ptr<http::WebSocket>> sockets;  // shared with the http server's connection
  std::uint64_t last_session = 0;
  std::uint64_t presence_answered = 0;
  std::uint64_t presence_dropped = 0;
  Endpoint listening;
  Endpoint presence_at;
  std::optional<Endpoint> health_at;
  bool stopped = false;

  http::Limits limits_of(const HubSettings& settings) {
    http::Limits limits;
    limits.body_bytes = 0;
    limits.body_limit = [](const http::Request& request) {
      return request.transport == http::Transport::kUnix ? kOperatorsBody : 0;
    };
    limits.admit = [this](const Endpoint& from) {
      return connects.take(source_prefix(from.address), Clock::now());
    };
    limits.connections = settings.connections;
    limits.connections_per_source = settings.connections_per_source;
    limits.local_connections = settings.connections;  // a proxy on this machine may bring all of them
    return limits;
  }

  static http::Limits health_limits() {
    http::Limits limits;
    limits.body_bytes = 0;
    limits.connections = 64;
    return limits;
  }

  [[nodiscard]] HubStatus status();
  bool answer_health(const http::Request& request, const http::Responder& responder);
  void answer(const http::Request& request, const http::Responder& responder);
  Buffer answer_datagram(Bytes datagram, const Endpoint& from);
  void adopt(const http::Request& request, const std::shared_ptr<http::WebSocket>& socket);

  void perform(Actions actions) {
    for (Action& action : actions) {
      if (auto* send = std::get_if<Send>(&action)) {
        if (const auto at = sockets.find(send->to); at != sockets.end()) {
          at->second->send(std::move(send->text));
        }
      } else if (const auto* datagram = std::get_if<SendDatagram>(&action)) {
        presence->send(datagram->to, datagram->bytes);
      } else if (auto* close = std::get_if<Close>(&action)) {
        if (const auto at = sockets.find(close->session); at != sockets.end()) {
          log.debug("session_closed",
                    {{"session", std::to_string(close->session.value)}, {"error", close->reason}});
          const auto socket = at->second;
          sockets.erase(at);
          socket->close(close->reason);
        }
      } else if (auto* allow = std::get_if<StoreAllow>(&action); allow != nullptr && keeper) {
        keeper->keep(std::move(allow->record));
      } else if (auto* changed = std::get_if<StoreChange>(&action); changed != nullptr && keeper) {
        keeper->keep(std::move(changed->change));
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
  HubStatus now;
  now.boxes = service.registry().boxes();
  now.devices = service.registry().devices();
  now.known_boxes = service.allow_lists().size();
  now.enrolled_boxes = service.directory().boxes().size();
  now.closed_boxes = service.directory().closed();
  now.counters = service.counters();
  now.presence_answered = presence_answered;
  now.presence_dropped = presence_dropped;
  const http::ServerCounters connections = server.counters();
  now.connections = connections.open;
  now.connections_refused = connections.refused;
  now.connections_timed_out = connections.timed_out;
  now.connections_bad = connections.bad;
  now.connections_to_relay = connections.passed_on;
  now.draining = service.draining();
  now.stopped = stopped;
  now.stores = !keeper || keeper->writes();
  now.key = key;
  return now;
}

// For anybody who may ask; true when it was answered.
bool Hub::State::answer_health(const http::Request& request, const http::Responder& responder) {
  if (request.method != "GET" && request.method != "HEAD") {
    return false;
  }
  if (request.path == "/healthz") {  // it answers: it lives
    responder.send(http::Response::text(200, "alive\n"));
  } else if (request.path == "/readyz") {
    const std::string why = not_ready(status());
    responder.send(
        http::Response::text(why.empty() ? 200 : 503, why.empty() ? "ready\n" : "not ready: " + why + "\n"));
  } else if (request.path == "/metrics") {
    auto response = http::Response::text(200, to_metrics(status()));
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    responder.send(std::move(response));
  } else {
    return false;
  }
  return true;
}

void Hub::State::answer(const http::Request& request, const http::Responder& responder) {
  if (request.transport == http::Transport::kUnix) {
    if (request.path == "/status") {
      responder.send(http::Response::json(200, to_json(status())));
      return;
    }
    if (answer_health(request, responder) || admin.answer(request, responder)) {
      return;
    }
  }
  responder.send(
      http::Response::text(404, "This is a Hearthcast rendezvous. There is nothing to see here.\n"));
}

Buffer Hub::State::answer_datagram(Bytes datagram, const Endpoint& from) {
  if (service.on_answer(datagram)) {
    arm();
    return {};
  }
  auto got = answer_presence(datagram, from, crypto, [this](const std::string& username) {
    return service.presence_password(username);
  });
  if (!got) {
    ++presence_dropped;
    return {};
  }
  ++presence_answered;
  perform(service.on_presence(got->username, from, Clock::now()));
  return std::move(got->datagram);
}

void Hub::State::adopt(const http::Request&, const std::shared_ptr<http::WebSocket>& socket) {
  const SessionId id{++last_session};
  sockets[id] = socket;
  socket->on_text([self = shared_from_this(), id](const std::string& text) {
    self->perform(self->service.on_text(id, text, Clock::now()));
  });
  socket->on_close([self = shared_from_this(), id](const std::string&) {
    self->sockets.erase(id);
    self->service.on_closed(id, Clock::now());
    self->arm();
  });
  perform(service.on_open(id, socket->peer(), Clock::now()));
}

Result<std::unique_ptr<Hub>, Failure> Hub::open(asio::io_context& io, Log& log, const Crypto& crypto,
                                                Random& random,
                                                const std::shared_ptr<secure::TlsContext>& tls,
                                                HubSettings settings) {
  auto presence = PresencePort::open(settings.presence);
  if (!presence) {
    return presence.error();
  }
  settings.policy.presence_port = presence->at().port;
  settings.policy.unix_time = unix_seconds;
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
    const auto directory = opened->store.load_directory();
    if (!directory) {
      return directory.error();
    }
    state->service.directory().load(*directory);
    state->keeper = std::make_unique<ListKeeper>(io, log, std::move(opened->store));
  }
  if (settings.relay) {
    state->server.pass_on({"stun.turn", *settings.relay});  // RFC 7443
  }
  const auto listening = state->server.listen_tcp(settings.listen, tls);
  if (!listening) {
    return listening.error();
  }
  state->listening = *listening;
  if (!settings.control_socket.empty()) {
    if (const auto opened = state->server.listen_unix(settings.control_socket); !opened) {
      return opened.error();
    }
  }
  if (settings.health) {
    const auto health = state->health.listen_tcp(*settings.health);
    if (!health) {
      return health.error();
    }
    state->health_at = *health;
  }
  const std::weak_ptr<State> weak = state;
  state->server.on_websocket(
      "/v1", [weak](const http::Request& request, const std::shared_ptr<http::WebSocket>& socket) {
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
  state_->health.stop();
  if (state_->keeper) {
    state_->keeper->stop();
  }
}

void Hub::replace_tls(secure::TlsContext& tls) {
  state_->key = tls.own_key().value_or(Sha256{});
  state_->service.set_server_key(state_->key);
  state_->server.replace_tls(tls);
}

HubStatus Hub::status() const { return state_->status(); }
std::optional<Endpoint> Hub::health() const { return state_->health_at; }
Endpoint Hub::listening() const { return state_->listening; }
Endpoint Hub::presence() const { return state_->presence_at; }

}  // namespace hearthcast::rendezvous
