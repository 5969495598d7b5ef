// What the client answers over HTTP: the playlist and the channels to players on the loopback, and on the
// control socket also the subcommands. One thread: that of the client.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/http/pairing_client.hpp"
#include "tunnelmgr/http/responder.hpp"

namespace hearthcast::away {

// May a request with this Host header be answered? A page of a stranger whose name points at the loopback
// (DNS rebinding) may not. Absent (HTTP/1.0 players) is allowed.
[[nodiscard]] bool is_own_host(std::string_view host, const Endpoint& listen);

class Web {
 public:
  // All outlive it. listen: where players come in, for the playlist's URLs.
  Web(boost::asio::io_context& io, Log& log, Client& client, Endpoint listen);

  void handle(const http::Request& request, const http::Responder& responder);

 private:
  void channel(const http::Request& request, const http::Responder& responder);
  void pair(const http::Request& request, const http::Responder& responder);
  [[nodiscard]] std::string playlist(const http::Request& request) const;

  boost::asio::io_context& io_;
  Log& log_;
  Client& client_;
  Endpoint listen_;
  secure::OpenSslCrypto crypto_;
  secure::OpenSslRandom random_;
  std::unique_ptr<http::PairingClient> pairing_;
};

}  // namespace hearthcast::away
