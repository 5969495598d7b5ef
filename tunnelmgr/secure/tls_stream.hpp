// The client's end of TLS on a stream of octets that somebody else carries: no socket, no clock. What arrived
// goes in, what is to be sent and what was said come out. Not thread-safe, but bound to no thread.
//
// An end of the stream without close_notify is for the owner to notice, who sees the socket close.
#pragma once

#include <memory>
#include <string>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::secure {

enum class TlsState { kHandshaking, kEstablished, kEnded };

class TlsStream {
 public:
  // context: of a client. host: whom it has to be. alpn: the one protocol that is offered; empty: none. Its
  // first flight waits in output(). Throws std::bad_alloc when OpenSSL is out of memory.
  TlsStream(TlsContext::Shared context, const std::string& host, const std::string& alpn = {});
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;
  ~TlsStream();

  // Octets of the other end, in pieces of any size.
  void put(Bytes arrived);
  // What the other end said, as much as `room` holds; 0: nothing (yet). Call until then after each put().
  [[nodiscard]] std::size_t read(MutableBytes room);
  // False unless established: nothing was taken.
  bool write(Bytes plaintext);
  // Appends what has to be sent to the other end, and forgets it.
  void take_output(Buffer& out);

  [[nodiscard]] TlsState state() const;
  [[nodiscard]] const std::string& reason() const;  // why it has ended, for people

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearthcast::secure
