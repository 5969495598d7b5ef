#include "tunnelmgr/http/pairing_client.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/http/signalling_link.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {

namespace asio = boost::asio;
using namespace signalling;

namespace {

constexpr std::chrono::milliseconds kHeadStart{300};  // of the box's own network before the rendezvous
constexpr std::chrono::seconds kProbe{6};             // until an address counts as unreachable
constexpr std::chrono::seconds kAnswer{6};            // of the box itself
constexpr std::chrono::seconds kThroughRendezvous{25};
constexpr std::size_t kMaxProbes = 8;  // a link names a few addresses; a forged one shall not make us scan

Bytes secret_of(const PairingTask& task) {
  return std::visit([](const auto& invitation) { return Bytes(invitation.secret); }, task.invitation);
}

}  // namespace

struct PairingClient::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, Log& l, const Crypto& c, Random& r, const Identity& d, PairingTask t,
        Handler h)
      : io(context),
        log(l),
        crypto(c),
        random(r),
        device(d),
        task(std::move(t)),
        done(std::move(h)),
        timer(context) {
    key = pairing_key(crypto, secret_of(task));
    request = make_pairing_request(crypto, random, device, task.device_name, key);
    link = std::get_if<PairingLink>(&task.invitation);
    if (!task.rendezvous && link != nullptr) {
      task.rendezvous = link->rendezvous;
    }
  }

  asio::io_context& io;
  Log& log;
  const Crypto& crypto;
  Random& random;
  const Identity& device;
  PairingTask task;
  Handler done;  // empty once it was called or is no longer wanted
  asio::steady_timer timer;
  Buffer key;
  PairingRequest request;
  const PairingLink* link = nullptr;

  // The ways to the box are tried at the same time, and the request goes the first that is open: it may be
  // used once only, so never two ways at once.
  std::size_t probing = 0;          // addresses that may still answer
  std::vector<Endpoint> reachable;  // addresses where the box is, and was not asked yet
  std::unique_ptr<SignallingLink> signalling;
  bool joined = false;                               // the rendezvous would take the request
  std::optional<PairingFailure> without_rendezvous;  // why that way is closed
  enum class Asked { kNobody, kBox, kRendezvous } asked = Asked::kNobody;  // on its way through
  std::string last_error;

  void finish(Result<PairedBox, PairingFailure> result) {
    timer.cancel();
    if (signalling) {
      signalling->stop();
    }
    if (const auto handler = std::exchange(done, nullptr)) {
      handler(std::move(result));
    }
  }

  void start() {
    if (!is_device_name(task.device_name)) {
      return finish(PairingFailure{"this device's name has to be 1 to 64 characters of text", std::nullopt});
    }
    if (link != nullptr) {
      for (std::size_t n = 0; n < std::min(link->addresses.size(), kMaxProbes) && done; ++n) {
        probe(link->addresses[n]);
      }
    }
    if (probing > 0 && task.rendezvous) {
      timer.expires_after(kHeadStart);
      timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error && self->done) {
          self->start_rendezvous();
        }
      });
    }
    go_on();
  }

  // The next step, whenever a way has opened or closed.
  void go_on() {
    if (asked != Asked::kNobody || !done) {
      return;
    }
    if (!reachable.empty()) {
      const Endpoint at = reachable.back();
      reachable.pop_back();
      ask_box(at);
    } else if (joined) {
      asked = Asked::kRendezvous;
      const auto to = link != nullptr ? std::variant<IdentityId, std::string>(link->box)
                                      : std::get<PairingCode>(task.invitation).locator;
      signalling->pair(to, encode(request));
    } else if (probing > 0) {
      return;
    } else if (!task.rendezvous) {
      finish(PairingFailure{
          link != nullptr ? "the box could not be reached at the addresses in the link (" + last_error +
                                "), and the link names no rendezvous; pair in the box's own network"
                          : "a code needs the rendezvous' address: give it with --rendezvous (and --pin)",
          std::nullopt});
    } else if (without_rendezvous) {
      finish(*without_rendezvous);
    } else if (!signalling) {
      start_rendezvous();
    }
  }

  [[nodiscard]] std::optional<ClientRequest> to_box(const Endpoint& at) {
    const auto url = Url::parse("https://" + at.to_string() + "/api/v1/pair");
    if (!url) {
      return std::nullopt;  // port 0: nobody can be there
    }
    const auto tls = secure::TlsContext::pinned_client(link->box.digest);
    if (!tls) {
      finish(PairingFailure{tls.error().text, std::nullopt});
      return std::nullopt;
    }
    ClientRequest ask;
    ask.to.url = *url;
    ask.to.tls = *tls;
    ask.max_body = std::size_t{64} * 1024;
    return ask;
  }

  // Whatever answers with the box's key is the box.
  void probe(const Endpoint& at) {
    auto ask = to_box(at);
    if (!ask) {
      return;
    }
    ask->method = "HEAD";
    ask->timeout = kProbe;
    ++probing;
    http::request(io, std::move(*ask),
                  [self = shared_from_this(), at](const Result<Response, ClientFailure>& response) {
                    --self->probing;
                    if (response) {
                      self->reachable.push_back(at);
                    } else {
                      self->note_failure(at, response.error().text);
                    }
                    self->go_on();
                  });
  }

  void ask_box(const Endpoint& at) {
    auto ask = to_box(at);
    if (!ask) {
      return;
    }
    asked = Asked::kBox;
    ask->method = "POST";
    ask->headers.set("Content-Type", "application/json");
    ask->headers.set("X-Hearthcast", "1");  // browsers of another origin cannot forge it
    ask->body = encode(request);
    ask->timeout = kAnswer;
    http::request(io, std::move(*ask),
                  [self = shared_from_this(), at](const Result<Response, ClientFailure>& response) {
                    if (!self->done) {
                      return;
                    }
                    if (response && response->status == 200) {
                      return self->judge(response->body, true);
                    }
                    self->note_failure(at, response
                                               ? "it answered with status " + std::to_string(response->status)
                                               : response.error().text);
                    self->asked = Asked::kNobody;
                    self->go_on();
                  });
  }

  void note_failure(const Endpoint& at, const std::string& why) {
    log.debug("pairing_direct_failed", {{"peer", at.to_string()}, {"error", why}});
    last_error = at.to_string() + ": " + why;
  }

  void start_rendezvous() {
    if (signalling) {
      return;
    }
    auto made = SignallingLink::make(io, log, Role::kDevice, device, random, *task.rendezvous,
                                     [weak = weak_from_this()](const ClientAction& event) {
                                       if (const auto self = weak.lock(); self && self->done) {
                                         self->on_event(event);
                                       }
                                     });
    if (!made) {
      return close_rendezvous({made.error().text, std::nullopt});
    }
    signalling = std::move(*made);
    signalling->start();
    timer.expires_after(kThroughRendezvous);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->done) {
        self->close_rendezvous({"the rendezvous could not be reached" +
                                    (self->last_error.empty() ? "" : ": " + self->last_error),
                                std::nullopt});
      }
    });
  }

  void close_rendezvous(PairingFailure why) {
    without_rendezvous = std::move(why);
    leave_rendezvous();
    if (signalling) {
      signalling->stop();
    }
    go_on();
  }

  void leave_rendezvous() {
    joined = false;
    if (asked == Asked::kRendezvous) {
      asked = Asked::kNobody;
    }
  }

  void on_event(const ClientAction& event) {
    if (std::holds_alternative<Joined>(event)) {
      joined = true;
      go_on();
    } else if (const auto* left = std::get_if<Left>(&event)) {
      last_error = left->reason;  // it tries again until the time is over
      leave_rendezvous();
      go_on();
    } else if (const auto* answer = std::get_if<PairingAnswered>(&event)) {
      judge(answer->payload, false);
    } else if (const auto* failed = std::get_if<RequestFailed>(&event); failed != nullptr && failed->code) {
      close_rendezvous({failed->text, std::nullopt});
    }
  }

  void judge(const std::string& text, bool direct) {
    const auto reply = decode_pairing_reply(text);
    if (!reply) {
      return finish(PairingFailure{"the box's answer was malformed", std::nullopt});
    }
    if (const auto* refusal = std::get_if<PairingRefusal>(&*reply)) {
      return finish(PairingFailure{
          refusal->text.empty() ? std::string(to_string(refusal->code)) : refusal->text, refusal->code});
    }
    const auto& answer = std::get<PairingAnswer>(*reply);
    const IdentityId id{crypto.sha256(answer.public_key)};
    if (!proves(crypto, answer, request, key) || (link != nullptr && id != link->box)) {
      return finish(
          PairingFailure{"the answer does not come from the box of this link or code; somebody is in between",
                         std::nullopt});
    }
    finish(PairedBox{id, answer.public_key, answer.name,
                     answer.rendezvous ? answer.rendezvous : task.rendezvous, answer.addresses,
                     pairing_fingerprint(crypto, device.public_key(), answer.public_key), direct});
  }
};

PairingClient::PairingClient(asio::io_context& io, Log& log, const Crypto& crypto, Random& random,
                             const Identity& device, PairingTask task, Handler done)
    : state_(std::make_shared<State>(io, log, crypto, random, device, std::move(task), std::move(done))) {
  asio::post(io, [weak = std::weak_ptr(state_)] {
    if (const auto state = weak.lock()) {
      state->start();
    }
  });
}

PairingClient::~PairingClient() {
  state_->done = nullptr;
  state_->timer.cancel();
  if (state_->signalling) {
    state_->signalling->stop();
  }
}

}  // namespace hearthcast::http
