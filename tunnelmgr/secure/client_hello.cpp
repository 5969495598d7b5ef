#include "tunnelmgr/secure/client_hello.hpp"

#include <algorithm>

#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {

struct ClientHello::Reading {
  SslHandle ssl;
  State state = State::kMore;
  std::vector<std::string> protocols;

  // The list's length, then each name behind its own. OpenSSL has not looked at it yet.
  void read_protocols(Bytes extension) {
    Reader list(extension);
    const std::size_t size = list.u16();
    if (size != list.left()) {
      return;
    }
    while (list.left() > 0 && !list.failed()) {
      protocols.emplace_back(as_text(list.take(list.u8())));
    }
  }
};

namespace {

// The handshake stops here, before it has answered.
int stop_and_keep(SSL* ssl, int*, void*) {
  auto& out = *static_cast<std::vector<std::uint8_t>*>(SSL_get_app_data(ssl));
  const unsigned char* octets = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &octets, &size) ==
      1) {
    out.assign(octets, octets + size);
  }
  return SSL_CLIENT_HELLO_RETRY;
}

SSL_CTX* context() {
  static const SslContextHandle made = [] {
    SslContextHandle fresh(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_client_hello_cb(fresh.get(), stop_and_keep, nullptr);
    return fresh;
  }();
  return made.get();
}

}  // namespace

ClientHello::ClientHello() : reading_(std::make_unique<Reading>()) {
  reading_->ssl.reset(SSL_new(context()));
  SSL_set_accept_state(reading_->ssl.get());
  SSL_set_bio(reading_->ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

ClientHello::~ClientHello() = default;

ClientHello::State ClientHello::put(Bytes octets) {
  if (reading_->state != State::kMore) {
    return reading_->state;
  }
  SSL* ssl = reading_->ssl.get();
  std::vector<std::uint8_t> extension;
  SSL_set_app_data(ssl, &extension);
  BIO_write(SSL_get_rbio(ssl), octets.data(), static_cast<int>(octets.size()));
  ERR_clear_error();
  switch (SSL_get_error(ssl, SSL_do_handshake(ssl))) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      reading_->state = State::kWhole;
      reading_->read_protocols(extension);
      break;
    default:
      reading_->state = State::kWrong;
  }
  ERR_clear_error();
  if (reading_->state != State::kMore) {
    reading_->ssl.reset();
  } else {
    SSL_set_app_data(ssl, nullptr);
  }
  return reading_->state;
}

ClientHello::State ClientHello::state() const { return reading_->state; }

bool ClientHello::offers(std::string_view protocol) const {
  return std::ranges::find(reading_->protocols, protocol) != reading_->protocols.end();
}

}  // namespace hearthcast::secure
