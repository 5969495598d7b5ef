// A WebSocket connection, of a server or of a client: text messages of at most 64 KiB both ways, pings by
// itself. Belongs to the thread that runs its io_context.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/http/message.hpp"

namespace hearthcast::http {

inline constexpr std::size_t kMaxWebSocketMessage = std::size_t{64} * 1024;

class WebSocket {
 public:
  using TextHandler = std::function<void(std::string)>;
  using CloseHandler = std::function<void(std::string reason)>;
  virtual ~WebSocket() = default;
  // Set both before returning to the event loop. on_close comes once, after the last on_text; it comes too
  // after an own close(). Both handlers are forgotten then, so they may own the WebSocket.
  virtual void on_text(TextHandler handler) = 0;
  virtual void on_close(CloseHandler handler) = 0;
  // Queues a message; false when the socket is closing or 256 KiB are waiting (then it is cut).
  virtual bool send(std::string text) = 0;
  virtual void close(std::string reason) = 0;  // after the queued messages; reason at most 123 octets
  [[nodiscard]] virtual Endpoint peer() const = 0;
  // SHA-256 of the peer's SubjectPublicKeyInfo when the peer showed a certificate (always, for a client on
  // TLS).
  [[nodiscard]] virtual std::optional<Sha256> peer_key() const = 0;
};

// Called for each accepted WebSocket of a server; who wants to refuse it closes it.
using WebSocketHandler = std::function<void(const Request&, std::shared_ptr<WebSocket>)>;

}  // namespace hearthcast::http
