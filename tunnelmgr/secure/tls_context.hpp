// TLS over TCP: contexts for servers and clients, with pins or the system's authorities. TLS 1.2 and 1.3.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/secure/identity.hpp"

struct ssl_ctx_st;  // SSL_CTX
struct ssl_st;      // SSL

namespace hearthcast::secure {

// Immutable once made and shared by all connections of one listener or client; safe from every thread.
class TlsContext {
 public:
  using Shared = std::shared_ptr<TlsContext>;

  // A server that shows a self-signed certificate of its identity key. names: for subjectAltName.
  [[nodiscard]] static Result<Shared, Failure> server(const OpenSslIdentity& identity,
                                                      const std::vector<std::string>& names = {});
  // A server with a certificate chain and a key from PEM files.
  [[nodiscard]] static Result<Shared, Failure> server(const std::filesystem::path& chain,
                                                      const std::filesystem::path& key);
  // A client that accepts only the server whose key has this SHA-256; names, chains and clocks do not matter.
  [[nodiscard]] static Result<Shared, Failure> pinned_client(const Sha256& pin);
  // A client that asks the system's authorities, and checks the host name. authorities: a PEM file instead.
  [[nodiscard]] static Result<Shared, Failure> webpki_client(const std::filesystem::path& authorities = {});

  // Before a client's handshake: server name, and what of it is checked. host: a name or an IP address.
  void prepare_client(ssl_st& session, const std::string& host) const;

  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }
  [[nodiscard]] const std::optional<Sha256>& own_key() const { return own_key_; }  // SHA-256, of servers

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;  // shared only for its deleter: the type is incomplete here
  std::optional<Sha256> own_key_;
  bool pinned_ = false;
};

// SHA-256 of the SubjectPublicKeyInfo that the peer of a finished handshake showed; nullopt when it showed
// none.
[[nodiscard]] std::optional<Sha256> peer_key(const ssl_st& session);

// False when this end refused the peer's key or chain.
[[nodiscard]] bool peer_accepted(const ssl_st& session);

}  // namespace hearthcast::secure
