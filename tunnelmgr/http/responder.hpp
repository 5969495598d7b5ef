// How a handler answers a request: at once or later, whole, as a stream, or by taking the socket over.
// All of it belongs to the thread that runs the server's io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/http/message.hpp"

namespace hearthcast::http {

class Exchange;  // between one request's handler and its connection

// A response without an end known in advance (Server-Sent Events). Bounded: a client that reads too slowly is
// cut off, not waited for.
class Stream {
 public:
  explicit Stream(std::size_t queue_limit) : limit_(queue_limit) {}
  // False when the stream is closed, or was just cut because its queue was full.
  bool send(std::string_view chunk);
  void close();  // the queued chunks still go out
  [[nodiscard]] bool closed() const { return closed_; }
  // Called once, when either side ended the stream; at once if it is already over.
  void on_closed(std::function<void()> handler);

 private:
  friend class Connection;
  void finish();  // the connection is gone
  std::size_t limit_;
  std::string pending_;
  bool closed_ = false;
  bool overrun_ = false;
  std::function<void()> wake_;
  std::function<void()> closed_handler_;
};

// Copyable handle; the first answer counts and later ones are ignored. When the last copy goes without an
// answer the client gets 500.
class Responder {
 public:
  // What Responder::detach hands over: a connected, non-blocking socket that the receiver closes.
  using DetachHandler = std::function<void(Result<int, Failure>)>;

  explicit Responder(std::shared_ptr<Exchange> exchange);
  void send(Response response) const;
  // Sends the head and keeps the response open. head.body must be empty.
  [[nodiscard]] std::shared_ptr<Stream> stream(Response head) const;
  // Sends the head with "Connection: close" and no length, then gives the socket away. Not on HTTPS: there
  // the handler gets a Failure and the client 500.
  void detach(Response head, DetachHandler done) const;

 private:
  struct Token;  // shared by the copies: its end is the end of the last copy
  std::shared_ptr<Token> token_;
};

using Handler = std::function<void(Request, Responder)>;

}  // namespace hearthcast::http
