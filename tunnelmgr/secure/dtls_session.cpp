#include "tunnelmgr/secure/dtls_session.hpp"

#include <algorithm>
#include <new>
#include <string_view>

#include "tunnelmgr/secure/datagram_bio.hpp"
#include "tunnelmgr/secure/dtls_peer.hpp"
#include "tunnelmgr/secure/dtls_record.hpp"
#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstRepeat = 400ms;
constexpr Duration kLongestRepeat = 4s;
constexpr Duration kHandshakeLimit = 20s;
constexpr Duration kAnswerAgain = 100ms;  // pause between two answers to a peer that repeats its last flight

// OpenSSL's timer must never act on its own: it runs on the wall clock, which a box without a battery sets
// from 1970 to today in the middle of a handshake. 4000 seconds, in microseconds.
unsigned never_repeat(SSL*, unsigned) { return 4'000'000'000U; }

std::size_t size_of(const DtlsSession::Datagrams& flight) {
  std::size_t size = 0;
  for (const Buffer& datagram : flight) {
    size += datagram.size();
  }
  return size;
}

bool has_our_alpn(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return equal(Bytes(name, size), Bytes(kDtlsAlpn).subspan(1));
}

}  // namespace

struct DtlsSession::State {
  State(const DtlsContext& context, DtlsRole role, const IdentityId& expected)
      : server(role == DtlsRole::kServer) {
    peer.expected = expected;
    ssl.reset(SSL_new(context.native()));
    BioHandle bio = ssl ? make_datagram_bio(port) : nullptr;
    if (!bio) {
      throw std::bad_alloc();
    }
    SSL_set_bio(ssl.get(), bio.get(), bio.get());  // both directions, one reference: the SSL owns it now
    static_cast<void>(bio.release());
    SSL_set_app_data(ssl.get(), &peer);
    DTLS_set_link_mtu(ssl.get(), kDtlsMtu);
    DTLS_set_timer_cb(ssl.get(), never_repeat);
    server ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
  }

  // One step of the handshake with the input that the port has; returns what it made to send.
  Datagrams advance(Time now) {
    Datagrams flight;
    port.list = &flight;
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl.get());
    const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl.get(), done);
    port.list = nullptr;
    port.input = {};
    if (done == 1 && has_our_alpn(ssl.get())) {
      state = DtlsState::kEstablished;
      deadline = kNever;
    } else if (done == 1) {
      fail("the peer speaks another version of the tunnel; update the older program");
    } else if (error != SSL_ERROR_WANT_READ) {
      fail(peer.wrong_key ? "the peer's key is not the one that was paired" : take_openssl_error());
    } else if (!flight.empty()) {
      repeat_after = kFirstRepeat;
      deadline = std::min(now + repeat_after, give_up_at);
    }
    if (!flight.empty()) {
      last_flight = flight;
    }
    ERR_clear_error();
    return flight;
  }

  void fail(std::string why) {
    state = DtlsState::kFailed;
    reason = std::move(why);
    deadline = kNever;
  }

  void end(std::string why) {
    state = DtlsState::kClosed;
    reason = std::move(why);
  }

  // SSL_read or SSL_write said no. Most often that is a record to be dropped, and then nothing has changed.
  bool ended_by(int result) {
    const int error = SSL_get_error(ssl.get(), result);
    const bool told = (SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    if (error == SSL_ERROR_ZERO_RETURN) {
      end("the peer closed the session");
    } else if (error != SSL_ERROR_WANT_READ || told) {
      fail("the peer broke the session off: " + take_openssl_error());
    }
    ERR_clear_error();
    return state != DtlsState::kEstablished;
  }

  bool server;
  DtlsPeer peer;
  DatagramPort port;  // before ssl, whose BIO refers to it
  SslHandle ssl;
  DtlsState state = DtlsState::kHandshaking;
  std::string reason;
  Datagrams last_flight;
  Duration repeat_after{};
  Time deadline = kNever;
  Time give_up_at = kNever;
  Time answered_at = Time::min();
};

DtlsSession::DtlsSession(const DtlsContext& context, DtlsRole role, const IdentityId& peer)
    : state_(std::make_unique<State>(context, role, peer)) {}
DtlsSession::DtlsSession(DtlsSession&&) noexcept = default;
DtlsSession& DtlsSession::operator=(DtlsSession&&) noexcept = default;
DtlsSession::~DtlsSession() = default;

DtlsSession::Datagrams DtlsSession::start(Time now) {
  State& s = *state_;
  s.give_up_at = now + kHandshakeLimit;
  s.deadline = s.give_up_at;
  return s.server ? Datagrams() : s.advance(now);
}

DtlsSession::Datagrams DtlsSession::on_datagram(Bytes datagram, Time now) {
  State& s = *state_;
  const DtlsContent content = dtls_content(datagram);
  if (s.state == DtlsState::kHandshaking && content != DtlsContent::kOther &&
      content != DtlsContent::kApplicationData &&  // early data is lost, as if it had overtaken the handshake
      !has_stunted_record(datagram)) {
    s.port.input = datagram;
    return s.advance(now);
  }
  const bool repeated = content == DtlsContent::kHandshake || content == DtlsContent::kChangeCipherSpec;
  if (s.state == DtlsState::kEstablished && s.server && repeated && !is_client_hello(datagram) &&
      datagram.size() >= size_of(s.last_flight) &&  // nobody must gain by a forged one
      (s.answered_at == Time::min() || now - s.answered_at >= kAnswerAgain)) {
    s.answered_at = now;
    return s.last_flight;
  }
  return {};
}

DtlsSession::Datagrams DtlsSession::on_deadline(Time now) {
  State& s = *state_;
  if (s.state != DtlsState::kHandshaking || now < s.deadline) {
    return {};
  }
  if (now >= s.give_up_at) {
    s.fail("no answer to the DTLS handshake within 20 s");
    return {};
  }
  s.repeat_after = std::min(s.repeat_after * 2, kLongestRepeat);
  s.deadline = std::min(now + s.repeat_after, s.give_up_at);
  return s.last_flight;
}

Time DtlsSession::next_deadline() const { return state_->deadline; }
DtlsState DtlsSession::state() const { return state_->state; }
const std::string& DtlsSession::reason() const { return state_->reason; }
bool DtlsSession::wrong_key() const { return state_->peer.wrong_key; }

std::string DtlsSession::cipher() const {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(state_->ssl.get());
  return cipher == nullptr || state_->state == DtlsState::kHandshaking ? "" : SSL_CIPHER_get_name(cipher);
}

std::size_t DtlsSession::overhead() const {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(state_->ssl.get());
  const bool chacha = cipher != nullptr && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305;
  return chacha ? 29 : kDtlsMaxOverhead;  // RFC 7905 sends no explicit nonce, RFC 5288 eight octets
}

std::size_t DtlsSession::seal(Bytes plaintext, MutableBytes out) {
  State& s = *state_;
  if (s.state != DtlsState::kEstablished || plaintext.empty() || plaintext.size() > kDtlsMaxPlaintext ||
      out.size() < plaintext.size() + kDtlsMaxOverhead) {
    return 0;
  }
  s.port.slab = out;
  s.port.written = 0;
  const int result = SSL_write(s.ssl.get(), plaintext.data(), static_cast<int>(plaintext.size()));
  s.port.slab = {};
  if (result <= 0) {
    static_cast<void>(s.ended_by(result));
    return 0;
  }
  return s.port.written;
}

Result<std::size_t, OpenError> DtlsSession::open(Bytes datagram, MutableBytes out) {
  State& s = *state_;
  const DtlsContent content = dtls_content(datagram);
  if (s.state != DtlsState::kEstablished || !is_single_record(datagram) || datagram.size() <= overhead() ||
      (content != DtlsContent::kApplicationData && content != DtlsContent::kAlert)) {
    return OpenError::kRejected;
  }
  if (datagram.size() >
      out.size() + kDtlsRecordHeader) {  // enough in any case; the rest of a record must not
    return OpenError::kTooSmall;         // stay inside OpenSSL and come out with the next one
  }
  s.port.input = datagram;
  const int result = SSL_read(s.ssl.get(), out.data(), static_cast<int>(out.size()));
  s.port.input = {};
  if (result > 0) {
    return static_cast<std::size_t>(result);
  }
  return s.ended_by(result) ? OpenError::kEnded : OpenError::kRejected;
}

std::size_t DtlsSession::close(MutableBytes out) {
  State& s = *state_;
  if (s.state != DtlsState::kEstablished) {
    return 0;
  }
  s.port.slab = out;
  s.port.written = 0;
  SSL_shutdown(s.ssl.get());
  s.port.slab = {};
  ERR_clear_error();
  s.end("closed by this side");
  return s.port.written;
}

}  // namespace hearthcast::secure
