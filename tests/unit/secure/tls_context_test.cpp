// TLS contexts, by handshakes in memory: whom a client accepts.
#include "tunnelmgr/secure/tls_context.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include <filesystem>

#include "tunnelmgr/secure/certificate.hpp"
#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Handshake {
  bool client = false;
  bool server = false;
  std::optional<Sha256> seen;  // the key that the client saw
  std::string version;
};

Handshake handshake(const TlsContext& server_context, const TlsContext& client_context,
                    const std::string& host) {
  const SslHandle server(SSL_new(server_context.native()));
  const SslHandle client(SSL_new(client_context.native()));
  BIO* server_end = nullptr;
  BIO* client_end = nullptr;
  BIO_new_bio_pair(&server_end, 0, &client_end, 0);
  SSL_set_bio(server.get(), server_end, server_end);
  SSL_set_bio(client.get(), client_end, client_end);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  client_context.prepare_client(*client, host);
  Handshake result;
  for (int turn = 0; turn < 10; ++turn) {
    result.client = SSL_do_handshake(client.get()) == 1;
    result.server = SSL_do_handshake(server.get()) == 1;
  }
  ERR_clear_error();
  result.seen = peer_key(*client);
  result.version = SSL_get_version(client.get());
  return result;
}

class TlsContexts : public testing::Test {
 public:
  TlsContexts() {
    std::string name = (fs::temp_directory_path() / "tls-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~TlsContexts() override { fs::remove_all(folder_); }

 protected:
  void write_certificate(const fs::path& file) const {
    const CertificateHandle certificate = make_certificate(identity_, {"tv.example", "192.0.2.1"});
    const BioHandle out(BIO_new_file(file.c_str(), "w"));
    ASSERT_EQ(PEM_write_bio_X509(out.get(), certificate.get()), 1);
  }

  OpenSslIdentity identity_ = make_identity();
  TlsContext::Shared server_ = TlsContext::server(identity_, {"tv.example"}).value();
  fs::path folder_;
};

TEST_F(TlsContexts, PinnedClientAcceptsTheKeyUnderEveryName) {
  const auto client = TlsContext::pinned_client(identity_.id().digest).value();
  EXPECT_EQ(server_->own_key(), identity_.id().digest);
  for (const char* host : {"tv.example", "other.example", "192.0.2.7", "2001:db8::1"}) {
    const Handshake done = handshake(*server_, *client, host);
    EXPECT_TRUE(done.client) << host;
    EXPECT_TRUE(done.server) << host;
    EXPECT_EQ(done.seen, identity_.id().digest);
    EXPECT_EQ(done.version, "TLSv1.3");
  }
}

TEST_F(TlsContexts, PinnedClientRefusesEveryOtherKey) {
  const auto client = TlsContext::pinned_client(make_identity().id().digest).value();
  EXPECT_FALSE(handshake(*server_, *client, "tv.example").client);
}

TEST_F(TlsContexts, ClientOfAuthoritiesRefusesASelfMadeCertificate) {
  const auto client = TlsContext::webpki_client();
  ASSERT_TRUE(client) << client.error().text;
  EXPECT_FALSE(handshake(*server_, **client, "tv.example").client);
}

TEST_F(TlsContexts, ClientOfAuthoritiesChecksTheName) {
  const fs::path chain = folder_ / "chain.pem";
  const fs::path key = folder_ / "key.pem";
  const auto identity = load_or_make_identity(key);
  ASSERT_TRUE(identity);
  identity_ = *identity;
  write_certificate(chain);
  const auto server = TlsContext::server(chain, key);
  ASSERT_TRUE(server) << server.error().text;
  EXPECT_EQ((*server)->own_key(), identity_.id().digest);
  const auto client = TlsContext::webpki_client(chain);
  ASSERT_TRUE(client) << client.error().text;
  EXPECT_TRUE(handshake(**server, **client, "tv.example").client);
  EXPECT_TRUE(handshake(**server, **client, "192.0.2.1").client);
  EXPECT_FALSE(handshake(**server, **client, "bank.example").client);
  EXPECT_FALSE(handshake(**server, **client, "192.0.2.2").client);
}

TEST_F(TlsContexts, UnusableFilesAreClearFailures) {
  const fs::path chain = folder_ / "chain.pem";
  const fs::path key = folder_ / "key.pem";
  write_certificate(chain);
  const auto text = [](const Result<TlsContext::Shared, Failure>& result) {
    return result ? std::string("no failure") : result.error().text;
  };
  EXPECT_THAT(text(TlsContext::server(folder_ / "absent.pem", key)), HasSubstr("absent.pem"));
  EXPECT_THAT(text(TlsContext::server(chain, key)), HasSubstr("key.pem"));
  ASSERT_TRUE(load_or_make_identity(key));  // readable, but of another certificate
  EXPECT_THAT(text(TlsContext::server(chain, key)), HasSubstr("belong to"));
  EXPECT_THAT(text(TlsContext::webpki_client(folder_ / "absent.pem")), HasSubstr("absent.pem"));
}

}  // namespace
}  // namespace hearthcast::secure
