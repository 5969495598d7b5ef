// The client's end of TLS, against OpenSSL's server in memory.
#include "tunnelmgr/secure/tls_stream.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "tunnelmgr/secure/handles.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::secure {
namespace {

using testing::HasSubstr;

class TlsStreams : public testing::Test {
 protected:
  TlsStreams() : server_(SSL_new(served_->native())) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(server_.get(), in_, out_);
    SSL_set_accept_state(server_.get());
  }

  static TlsStream client_with(const Sha256& pin, const std::string& alpn = {}) {
    return TlsStream(*TlsContext::pinned_client(pin), "relay.example", alpn);
  }

  // What the client has to say goes over, `piece` octets at a time.
  void to_server(TlsStream& client) {
    Buffer sent;
    client.take_output(sent);
    if (!sent.empty()) {
      BIO_write(in_, sent.data(), static_cast<int>(sent.size()));
    }
  }
  void to_client(TlsStream& client, std::size_t piece) {
    Buffer said(BIO_ctrl_pending(out_));
    if (!said.empty()) {
      BIO_read(out_, said.data(), static_cast<int>(said.size()));
    }
    for (Bytes rest(said); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
      client.put(rest.first(std::min(piece, rest.size())));
    }
  }
  void shake_hands(TlsStream& client, std::size_t piece = 100'000) {
    for (int turn = 0; turn < 6; ++turn) {
      to_server(client);
      SSL_do_handshake(server_.get());
      to_client(client, piece);
    }
    ERR_clear_error();
  }
  void server_says(const std::string& text) {
    EXPECT_EQ(SSL_write(server_.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }
  static std::string all_of(TlsStream& client) {
    std::string text;
    Buffer room(7);
    while (const auto size = client.read(room)) {
      text += as_text(Bytes(room).first(size));
    }
    return text;
  }

  OpenSslIdentity identity_ = make_identity();
  TlsContext::Shared served_ = *TlsContext::server(identity_);
  SslHandle server_;
  BIO* in_ = nullptr;  // the server's
  BIO* out_ = nullptr;
};

TEST_F(TlsStreams, SaysAndHearsThroughWhateverPieces) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{17}, std::size_t{100'000}}) {
    server_.reset(SSL_new(served_->native()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(server_.get(), in_, out_);
    SSL_set_accept_state(server_.get());
    auto client = client_with(identity_.id().digest);
    EXPECT_EQ(client.state(), TlsState::kHandshaking);
    EXPECT_FALSE(client.write(as_bytes("too early")));
    shake_hands(client, piece);
    ASSERT_EQ(client.state(), TlsState::kEstablished) << client.reason();
    EXPECT_TRUE(client.write(as_bytes("from here")));
    to_server(client);
    std::array<char, 64> heard{};
    const int size = SSL_read(server_.get(), heard.data(), heard.size());
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(heard.data(), static_cast<std::size_t>(size)), "from here");
    server_says("from there, ");
    server_says("twice");
    to_client(client, piece);
    EXPECT_EQ(all_of(client), "from there, twice");
    EXPECT_EQ(all_of(client), "");
  }
}

TEST_F(TlsStreams, AnotherKeyIsRefusedInWords) {
  auto client = client_with(make_identity().id().digest);
  shake_hands(client);
  EXPECT_EQ(client.state(), TlsState::kEnded);
  EXPECT_THAT(client.reason(), HasSubstr("certificate"));
  EXPECT_FALSE(client.write(as_bytes("secret")));
  Buffer room(10);
  EXPECT_EQ(client.read(room), 0U);
}

TEST_F(TlsStreams, NonsenseEndsIt) {
  auto client = client_with(identity_.id().digest);
  client.put(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  EXPECT_EQ(client.state(), TlsState::kEnded);
  EXPECT_THAT(client.reason(), HasSubstr("TLS failed"));
  client.put(as_bytes("more"));
  EXPECT_EQ(client.state(), TlsState::kEnded);
}

TEST_F(TlsStreams, TheOtherEndsGoodbyeIsHeard) {
  auto client = client_with(identity_.id().digest);
  shake_hands(client);
  server_says("last words");
  SSL_shutdown(server_.get());
  to_client(client, 3);
  EXPECT_EQ(all_of(client), "last words");
  EXPECT_EQ(client.state(), TlsState::kEnded);
  EXPECT_THAT(client.reason(), HasSubstr("closed"));
}

TEST_F(TlsStreams, ItsOneProtocolIsOffered) {
  std::string seen;
  SSL_CTX_set_alpn_select_cb(
      served_->native(),
      [](SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned,
         void* seen_there) {
        static_cast<std::string*>(seen_there)->assign(reinterpret_cast<const char*>(offered) + 1, offered[0]);
        *chosen = offered + 1;
        *size = offered[0];
        return SSL_TLSEXT_ERR_OK;
      },
      &seen);
  auto client = client_with(identity_.id().digest, "stun.turn");
  shake_hands(client);
  EXPECT_EQ(seen, "stun.turn");
  EXPECT_EQ(client.state(), TlsState::kEstablished);
}

TEST_F(TlsStreams, NothingToSayIsNothingSent) {
  auto client = client_with(identity_.id().digest);
  shake_hands(client);
  EXPECT_TRUE(client.write({}));
  Buffer out;
  client.take_output(out);
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace hearthcast::secure
