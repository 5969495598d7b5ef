#include "tunnelmgr/secure/tls_stream.hpp"

#include <new>
#include <utility>

#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {

struct TlsStream::State {
  State(TlsContext::Shared shared, const std::string& host, const std::string& alpn)
      : context(std::move(shared)), ssl(SSL_new(context->native())) {
    BioHandle in(BIO_new(BIO_s_mem()));
    BioHandle out(BIO_new(BIO_s_mem()));
    if (!ssl || !in || !out) {
      throw std::bad_alloc();
    }
    BIO_set_mem_eof_return(in.get(), -1);  // empty is not the end
    SSL_set_bio(ssl.get(), in.release(), out.release());
    SSL_set_connect_state(ssl.get());
    context->prepare_client(*ssl, host);
    if (!alpn.empty()) {
      Buffer list{static_cast<std::uint8_t>(alpn.size())};
      list.insert(list.end(), alpn.begin(), alpn.end());
      if (SSL_set_alpn_protos(ssl.get(), list.data(), static_cast<unsigned>(list.size())) != 0) {
        throw std::bad_alloc();
      }
    }
  }

  void shake_hands() {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl.get());
    if (done == 1) {
      state = TlsState::kEstablished;
    } else {
      judge(done);
    }
  }

  // After a call that did not succeed.
  void judge(int result) {
    const int error = SSL_get_error(ssl.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) {
      end("the other end closed the connection");
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      end(peer_accepted(*ssl) ? "TLS failed: " + take_openssl_error()
                              : std::string("its certificate is not the expected one: ") +
                                    X509_verify_cert_error_string(SSL_get_verify_result(ssl.get())));
    }
    ERR_clear_error();
  }

  void end(std::string why) {
    state = TlsState::kEnded;
    reason = std::move(why);
  }

  TlsContext::Shared context;
  SslHandle ssl;
  TlsState state = TlsState::kHandshaking;
  std::string reason;
};

TlsStream::TlsStream(TlsContext::Shared context, const std::string& host, const std::string& alpn)
    : state_(std::make_unique<State>(std::move(context), host, alpn)) {
  state_->shake_hands();
}
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;
TlsStream::~TlsStream() = default;

void TlsStream::put(Bytes arrived) {
  State& s = *state_;
  if (s.state == TlsState::kEnded || arrived.empty()) {
    return;
  }
  std::size_t written = 0;
  if (BIO_write_ex(SSL_get_rbio(s.ssl.get()), arrived.data(), arrived.size(), &written) != 1 ||
      written != arrived.size()) {
    throw std::bad_alloc();
  }
  if (s.state == TlsState::kHandshaking) {
    s.shake_hands();
  }
}

std::size_t TlsStream::read(MutableBytes room) {
  State& s = *state_;
  if (s.state != TlsState::kEstablished) {
    return 0;
  }
  ERR_clear_error();
  std::size_t size = 0;
  const int done = SSL_read_ex(s.ssl.get(), room.data(), room.size(), &size);
  if (done != 1) {
    s.judge(done);
    return 0;
  }
  return size;
}

bool TlsStream::write(Bytes plaintext) {
  State& s = *state_;
  if (s.state != TlsState::kEstablished || plaintext.empty()) {
    return s.state == TlsState::kEstablished;
  }
  ERR_clear_error();
  std::size_t written = 0;  // all of it: the room behind is memory
  const int done = SSL_write_ex(s.ssl.get(), plaintext.data(), plaintext.size(), &written);
  if (done != 1) {
    s.judge(done);
  }
  return done == 1;
}

void TlsStream::take_output(Buffer& out) {
  BIO* const bio = SSL_get_wbio(state_->ssl.get());
  const std::size_t waiting = BIO_ctrl_pending(bio);
  const std::size_t before = out.size();
  out.resize(before + waiting);
  std::size_t size = 0;
  if (waiting != 0) {
    BIO_read_ex(bio, out.data() + before, waiting, &size);
  }
  out.resize(before + size);
}

TlsState TlsStream::state() const { return state_->state; }
const std::string& TlsStream::reason() const { return state_->reason; }

}  // namespace hearthcast::secure
