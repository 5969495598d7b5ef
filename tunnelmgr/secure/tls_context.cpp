#include "tunnelmgr/secure/tls_context.hpp"

#include <openssl/x509v3.h>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/secure/certificate.hpp"
#include "tunnelmgr/secure/public_key.hpp"

namespace hearthcast::secure {

namespace {

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (context) {
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_num_tickets(context.get(), 1);
  }
  return context;
}

// Replaces OpenSSL's verification of a chain by a comparison of the leaf's key.
int check_pin(X509_STORE_CTX* store, void* pin) {
  X509* const leaf = X509_STORE_CTX_get0_cert(store);
  const bool same =
      leaf != nullptr && Crypto::equal(identity_of(*leaf).digest, *static_cast<const Sha256*>(pin));
  X509_STORE_CTX_set_error(store, same ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return same ? 1 : 0;
}

// The pin lives in the SSL_CTX, since sessions may outlive the TlsContext.
int pin_slot() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* pin, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Sha256*>(pin); });
  return index;
}

Failure out_of_memory() { return Failure{"cannot set up TLS: " + take_openssl_error()}; }

}  // namespace

Result<TlsContext::Shared, Failure> TlsContext::server(const OpenSslIdentity& identity,
                                                       const std::vector<std::string>& names) {
  const auto context = make_context(TLS_server_method());
  const CertificateHandle certificate = make_certificate(identity, names);
  if (!context || !certificate || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), identity.key().get()) != 1) {
    return out_of_memory();
  }
  Shared tls(new TlsContext(context));
  tls->own_key_ = identity.id().digest;
  return tls;
}

Result<TlsContext::Shared, Failure> TlsContext::server(const std::filesystem::path& chain,
                                                       const std::filesystem::path& key) {
  const auto context = make_context(TLS_server_method());
  if (!context) {
    return out_of_memory();
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), chain.c_str()) != 1) {
    return Failure{"cannot use the certificate chain " + chain.string() + ": " + take_openssl_error() +
                   "; it has to be a readable PEM file, the server's own certificate first"};
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Failure{"cannot use the key " + key.string() + ": " + take_openssl_error() +
                   "; it has to be a readable PEM file and belong to " + chain.string()};
  }
  Shared tls(new TlsContext(context));
  tls->own_key_ = identity_of(*SSL_CTX_get0_certificate(context.get())).digest;
  return tls;
}

Result<TlsContext::Shared, Failure> TlsContext::pinned_client(const Sha256& pin) {
  const auto context = make_context(TLS_client_method());
  if (!context) {
    return out_of_memory();
  }
  Shared tls(new TlsContext(context));
  tls->pinned_ = true;
  auto own = std::make_unique<Sha256>(pin);
  if (SSL_CTX_set_ex_data(context.get(), pin_slot(), own.get()) != 1) {
    return out_of_memory();
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), check_pin, own.release());
  return tls;
}

Result<TlsContext::Shared, Failure> TlsContext::webpki_client(const std::filesystem::path& authorities) {
  const auto context = make_context(TLS_client_method());
  if (!context) {
    return out_of_memory();
  }
  const bool loaded = authorities.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                          : SSL_CTX_load_verify_file(context.get(), authorities.c_str()) == 1;
  if (!loaded) {
    return Failure{"cannot read the certificate authorities " + authorities.string() + ": " +
                   take_openssl_error() + "; install ca-certificates, or pin the server's key"};
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return Shared(new TlsContext(context));
}

void TlsContext::prepare_client(ssl_st& session, const std::string& host) const {
  const bool is_address = IpAddress::parse(host).has_value();
  if (!is_address) {
    SSL_set_tlsext_host_name(&session, host.c_str());  // RFC 6066 section 3: names only
  }
  if (!pinned_) {
    if (is_address) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&session), host.c_str());
    } else {
      SSL_set1_host(&session, host.c_str());
    }
  }
}

std::optional<Sha256> peer_key(const ssl_st& session) {
  X509* const certificate = SSL_get0_peer_certificate(&session);
  return certificate == nullptr ? std::nullopt : std::optional(identity_of(*certificate).digest);
}

bool peer_accepted(const ssl_st& session) { return SSL_get_verify_result(&session) == X509_V_OK; }

}  // namespace hearthcast::secure
