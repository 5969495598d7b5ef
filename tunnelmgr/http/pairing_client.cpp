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

constexpr std::chrono::seconds kPerAddress{2};
constexpr std::chrono::seconds kAllAddresses{6};
constexpr std::chrono::seconds kThroughRendezvous{25};

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
  std::size_t next_address = 0;
  Time direct_until{};
  std::unique_ptr<SignallingLink> signalling;
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
    direct_until = Clock::now() + kAllAddresses;
    if (!is_device_name(task.device_name)) {
      finish(PairingFailure{"this device's name has to be 1 to 64 characters of text", std::nullopt});
    } else {
      try_next_address();
    }
  }

  void try_next_address() {
    if (link == nullptr || next_address >= link->addresses.size() || Clock::now() >= direct_until) {
      return ask_rendezvous();
    }
    const Endpoint at = link->addresses[next_address++];
    const auto url = Url::parse("https://" + at.to_string() + "/api/v1/pair");
    if (!url) {
      return try_next_address();
    }
    const auto tls = secure::TlsContext::pinned_client(link->box.digest);
    if (!tls) {
      return finish(PairingFailure{tls.error().text, std::nullopt});
    }
    ClientRequest post;
    post.to.url = *url;
    post.to.tls = *tls;
    post.method = "POST";
    post.headers.set("Content-Type", "application/json");
    post.headers.set("X-Hearthcast", "1");  // browsers of another origin cannot forge it
    post.body = encode(request);
    post.timeout = kPerAddress;
    post.max_body = std::size_t{64} * 1024;
    http::request(
        io, std::move(post), [self = shared_from_this(), at](Result<Response, ClientFailure> response) {
          if (!self->done) {
            return;
          }
          if (!response) {
            self->log.debug("pairing_direct_failed",
                            {{"peer", at.to_string()}, {"error", response.error().text}});
            self->last_error = response.error().text;
            return self->try_next_address();
          }
          if (response->status != 200) {
            self->last_error = at.to_string() + " answered with status " + std::to_string(response->status);
            return self->try_next_address();
          }
          self->judge(response->body, true);
        });
  }

  void ask_rendezvous() {
    if (!task.rendezvous) {
      return finish(PairingFailure{
          link != nullptr ? "the box could not be reached at the addresses in the link (" + last_error +
                                "), and the link names no rendezvous; pair in the box's own network"
                          : "a code needs the rendezvous' address: give it with --rendezvous (and --pin)",
          std::nullopt});
    }
    auto made = SignallingLink::make(io, log, Role::kDevice, device, random, *task.rendezvous,
                                     [weak = weak_from_this()](ClientAction event) {
                                       if (const auto self = weak.lock(); self && self->done) {
                                         self->on_event(event);
                                       }
                                     });
    if (!made) {
      return finish(PairingFailure{made.error().text, std::nullopt});
    }
    signalling = std::move(*made);
    signalling->start();
    timer.expires_after(kThroughRendezvous);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) {
        self->finish(PairingFailure{
            "the rendezvous could not be reached" + (self->last_error.empty() ? "" : ": " + self->last_error),
            std::nullopt});
      }
    });
  }

  void on_event(const ClientAction& event) {
    if (std::holds_alternative<Joined>(event)) {
      const auto to = link != nullptr ? std::variant<IdentityId, std::string>(link->box)
                                      : std::get<PairingCode>(task.invitation).locator;
      signalling->pair(to, encode(request));
    } else if (const auto* left = std::get_if<Left>(&event)) {
      last_error = left->reason;  // it tries again until the time is over
    } else if (const auto* answer = std::get_if<PairingAnswered>(&event)) {
      judge(answer->payload, false);
    } else if (const auto* failed = std::get_if<RequestFailed>(&event); failed != nullptr && failed->code) {
      finish(PairingFailure{failed->text, std::nullopt});
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
