#include "tunnelmgr/secure/dtls_context.hpp"

#include <algorithm>
#include <string_view>

#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "tunnelmgr/secure/certificate.hpp"
#include "tunnelmgr/secure/dtls_peer.hpp"
#include "tunnelmgr/secure/handles.hpp"
#include "tunnelmgr/secure/public_key.hpp"

namespace hearthcast::secure {
namespace {

bool cpu_has_aes() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

const char* cipher_list() {
  return cpu_has_aes() ? "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
                       : "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256";
}

// The pin is all that counts: chains, names and clocks are not looked at.
int check_pin(X509_STORE_CTX* store, void*) {
  auto* const ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  X509* const certificate = X509_STORE_CTX_get0_cert(store);
  auto& peer = *static_cast<DtlsPeer*>(SSL_get_app_data(ssl));
  if (certificate == nullptr || identity_of(*certificate) != peer.expected) {
    peer.wrong_key = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

int choose_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                unsigned int offered_size, void*) {
  const Bytes own(kDtlsAlpn);
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, chosen_size, own.data(), static_cast<unsigned>(own.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<DtlsContext, Failure> DtlsContext::make(const OpenSslIdentity& identity) {
  DtlsContext made;
  made.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(DTLS_method()), SSL_CTX_free);
  SSL_CTX* const context = made.context_.get();
  const CertificateHandle certificate = make_certificate(identity);
  if (context == nullptr || !certificate || SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, identity.key().get()) != 1 ||
      SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, cipher_list()) != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519:P-256") != 1 ||
      SSL_CTX_set_alpn_protos(context, kDtlsAlpn.data(), kDtlsAlpn.size()) != 0) {
    return Failure{"cannot set up DTLS: " + take_openssl_error()};
  }
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, check_pin, nullptr);
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  return made;
}

}  // namespace hearthcast::secure
