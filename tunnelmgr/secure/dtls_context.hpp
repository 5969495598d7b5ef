// What all DTLS sessions of one program share: its certificate, the cipher suites, the ALPN.
#pragma once

#include <memory>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/secure/identity.hpp"

struct ssl_ctx_st;  // SSL_CTX

namespace hearthcast::secure {

// DTLS 1.2 only; AES-128-GCM before ChaCha20-Poly1305, or after it on a CPU without AES; both certificates
// required; no renegotiation, tickets, or resumption. Copies share one immutable context; safe from every
// thread.
class DtlsContext {
 public:
  [[nodiscard]] static Result<DtlsContext, Failure> make(const OpenSslIdentity& identity);

  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  DtlsContext() = default;
  std::shared_ptr<ssl_ctx_st>
      context_;  // shared by the copies and, counted by OpenSSL itself, by the sessions
};

}  // namespace hearthcast::secure
