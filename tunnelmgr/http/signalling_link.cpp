#include "tunnelmgr/http/signalling_link.hpp"

#include <boost/asio/post.hpp>

#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {

namespace asio = boost::asio;
using namespace signalling;

struct SignallingLink::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, Log& l, Role role, const Identity& identity, Random& random, Target target,
        EventHandler h)
      : io(context),
        log(l),
        to(std::move(target)),
        handler(std::move(h)),
        client(role, identity, random, "hearthcast " HEARTHCAST_VERSION, Clock::now()),
        timer(context, [this](Time now) { on_deadline(now); }) {}

  asio::io_context& io;
  Log& log;
  Target to;
  EventHandler handler;
  Client client;
  runtime::MachineTimer timer;
  std::shared_ptr<WebSocket> socket;
  std::uint64_t attempt = 0;  // what an older connection still says is not for the machine
  bool stopped = true;

  void perform(ClientActions actions) {
    for (ClientAction& action : actions) {
      if (stopped) {
        return;
      }
      if (std::holds_alternative<Connect>(action)) {
        connect();
      } else if (auto* send = std::get_if<SendText>(&action)) {
        if (socket) {
          socket->send(std::move(send->text));
        }
      } else if (auto* disconnect = std::get_if<Disconnect>(&action)) {
        leave(disconnect->reason);
      } else {
        report(action);
        // By way of the loop: an event handler may call back in here while actions are still to be performed.
        asio::post(io, [self = shared_from_this(), event = std::move(action)]() mutable {
          if (!self->stopped) {
            self->handler(std::move(event));
          }
        });
      }
    }
    arm();
  }

  void report(const ClientAction& action) const {
    if (std::holds_alternative<Joined>(action)) {
      log.info("rendezvous_joined", {{"url", to.url.authority()}});
    } else if (const auto* left = std::get_if<Left>(&action)) {
      if (const auto refused = client.refused()) {
        log.warning("rendezvous_refused", {{"url", to.url.authority()},
                                           {"code", std::string(to_string(*refused))},
                                           {"error", left->reason}});
      } else {
        log.info("rendezvous_left", {{"url", to.url.authority()}, {"error", left->reason}});
      }
    }
  }

  void arm() { timer.arm(stopped ? kNever : client.next_deadline()); }

  void on_deadline(Time now) {
    const auto self = shared_from_this();  // what is performed may let go of the link
    perform(client.on_deadline(now));
  }

  void leave(const std::string& reason) {
    ++attempt;
    if (const auto old = std::exchange(socket, nullptr)) {
      old->close(reason);
    }
  }

  void connect() {
    const std::uint64_t mine = ++attempt;
    connect_websocket(io, to, [self = shared_from_this(), mine](auto connected) {
      if (self->stopped || self->attempt != mine) {
        if (connected) {
          (*connected)->close("no longer wanted");
        }
      } else if (!connected) {
        self->perform(self->client.on_closed(connected.error().text, Clock::now()));
      } else {
        self->adopt(*connected, mine);
      }
    });
  }

  void adopt(const std::shared_ptr<WebSocket>& connected, std::uint64_t mine) {
    socket = connected;
    socket->on_text([self = shared_from_this(), mine](const std::string& text) {
      if (!self->stopped && self->attempt == mine) {
        self->perform(self->client.on_text(text, Clock::now()));
      }
    });
    socket->on_close([self = shared_from_this(), mine](std::string reason) {
      if (!self->stopped && self->attempt == mine) {
        self->socket.reset();
        self->perform(self->client.on_closed(std::move(reason), Clock::now()));
      }
    });
    perform(client.on_connected(connected->peer_key().value_or(Sha256{}), Clock::now()));
  }
};

Result<std::unique_ptr<SignallingLink>, Failure> SignallingLink::make(asio::io_context& io, Log& log,
                                                                      Role role, const Identity& identity,
                                                                      Random& random,
                                                                      const RendezvousAddress& at,
                                                                      EventHandler handler) {
  auto url = Url::parse(at.url);
  if (!url || url->scheme != "wss") {
    return Failure{"the rendezvous address " + at.url + " is not of the form wss://HOST[:PORT]/v1"};
  }
  if (url->target == "/") {  // wss://HOST is how people write it
    url->target = "/v1";
  }
  auto tls = at.pin ? secure::TlsContext::pinned_client(*at.pin) : secure::TlsContext::webpki_client();
  if (!tls) {
    return tls.error();
  }
  return std::unique_ptr<SignallingLink>(new SignallingLink(
      std::make_shared<State>(io, log, role, identity, random, Target{*url, {}, *tls}, std::move(handler))));
}

SignallingLink::SignallingLink(std::shared_ptr<State> state) : state_(std::move(state)) {}
SignallingLink::~SignallingLink() { stop(); }

void SignallingLink::set_enrolment(std::string token) { state_->client.set_enrolment(std::move(token)); }

void SignallingLink::start() {
  state_->stopped = false;
  state_->arm();
}

void SignallingLink::stop() {
  state_->stopped = true;
  state_->arm();
  state_->leave("stopping");
}

void SignallingLink::on_network_change() { state_->perform(state_->client.on_network_change(Clock::now())); }
void SignallingLink::set_allowed(std::vector<IdentityId> devices, std::uint64_t revision) {
  state_->perform(state_->client.set_allowed(std::move(devices), revision));
}
void SignallingLink::tell_moved(std::vector<Endpoint> endpoints) {
  state_->perform(state_->client.tell_moved(std::move(endpoints)));
}
void SignallingLink::open_pairing(std::string locator, Time until) {
  state_->perform(state_->client.open_pairing(std::move(locator), until, Clock::now()));
}
void SignallingLink::close_pairing() { state_->perform(state_->client.close_pairing()); }
void SignallingLink::answer_introduction(std::uint64_t id, Sealed sealed) {
  state_->perform(state_->client.answer_introduction(id, std::move(sealed)));
}
void SignallingLink::refuse_introduction(std::uint64_t id, Sealed sealed) {
  state_->perform(state_->client.refuse_introduction(id, std::move(sealed)));
}
void SignallingLink::answer_pairing(std::uint64_t id, std::string payload) {
  state_->perform(state_->client.answer_pairing(id, std::move(payload)));
}
std::uint64_t SignallingLink::introduce(const IdentityId& box, Sealed sealed, std::vector<Endpoint> relayed) {
  std::uint64_t id = 0;
  state_->perform(state_->client.introduce(box, std::move(sealed), std::move(relayed), Clock::now(), id));
  return id;
}
std::uint64_t SignallingLink::pair(std::variant<IdentityId, std::string> to, std::string payload) {
  std::uint64_t id = 0;
  state_->perform(state_->client.pair(std::move(to), std::move(payload), Clock::now(), id));
  return id;
}

Client::State SignallingLink::state() const { return state_->client.state(); }
const std::string& SignallingLink::last_error() const { return state_->client.last_error(); }
std::optional<ErrorCode> SignallingLink::refused() const { return state_->client.refused(); }
Endpoint SignallingLink::server() const { return state_->socket ? state_->socket->peer() : Endpoint{}; }

}  // namespace hearthcast::http
