// One DTLS 1.2 session (RFC 6347) with one pinned peer, without a socket and without a clock.
//
// Handshake: on the control thread; start(), then on_datagram() and on_deadline() until state() is
// established; what they return is sent to the peer, in order. Then the session moves to the data thread,
// which only seals and opens. Not thread-safe, but bound to no thread: it may move between two of them while
// nobody calls it.
//
// Lost flights are sent again, octet for octet, 400 ms after the first time, then after twice that and so on
// up to 4 s, for 20 s in all; OpenSSL's own timer, which reads the wall clock, is out of use. That is enough
// because each flight of ours fits one datagram of kDtlsMtu octets: it arrives whole or not at all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/secure/dtls_context.hpp"

namespace hearthcast::secure {

enum class DtlsRole { kClient, kServer };

enum class DtlsState {
  kHandshaking,
  kEstablished,
  kClosed,  // the peer sent close_notify, or close() was called
  kFailed,  // reason() says why; the session is of no use any more
};

enum class OpenError {
  kRejected,  // not a record of this session: forged, replayed, damaged, or no application data. Drop and
              // count
  kTooSmall,  // the caller's room is too small for the record; it is lost
  kEnded,     // the record ended the session: state() is kClosed or kFailed
};

inline constexpr std::size_t kDtlsMtu = 1200;        // UDP payload of handshake datagrams
inline constexpr std::size_t kDtlsMaxOverhead = 37;  // octets that sealing adds, at most
inline constexpr std::size_t kDtlsMaxPlaintext = 16384;

class DtlsSession {
 public:
  using Datagrams = std::vector<Buffer>;

  // peer: the only identity that is accepted. Throws std::bad_alloc when OpenSSL is out of memory.
  DtlsSession(const DtlsContext& context, DtlsRole role, const IdentityId& peer);
  DtlsSession(DtlsSession&&) noexcept;
  DtlsSession& operator=(DtlsSession&&) noexcept;
  ~DtlsSession();

  // Starts the handshake. A client's first flight; nothing for a server.
  [[nodiscard]] Datagrams start(Time now);
  // A datagram of the peer that carries no application data. On an established server it may bring the peer's
  // repeated last flight, which is answered with our own last flight once more, at most ten times a second.
  [[nodiscard]] Datagrams on_datagram(Bytes datagram, Time now);
  [[nodiscard]] Datagrams on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;  // kNever unless handshaking

  [[nodiscard]] DtlsState state() const;
  [[nodiscard]] const std::string& reason() const;  // for people; empty unless closed or failed
  [[nodiscard]] bool wrong_key() const;             // it failed because the peer is not the pinned one
  [[nodiscard]] std::string cipher() const;         // OpenSSL's name; empty while handshaking
  [[nodiscard]] std::size_t overhead() const;       // octets that sealing adds: 37 (AES-GCM) or 29 (ChaCha20)

  // Writes plaintext as one record to the front of out and returns its size, plaintext + overhead(). Zero
  // when the session is not established, out is too small or plaintext is empty or above kDtlsMaxPlaintext.
  // Allocates nothing. out must not overlap plaintext.
  [[nodiscard]] std::size_t seal(Bytes plaintext, MutableBytes out);
  // Opens a datagram that is one record into out and returns the plaintext's size. Allocates nothing.
  [[nodiscard]] Result<std::size_t, OpenError> open(Bytes datagram, MutableBytes out);
  // Ends the session: a close_notify record at the front of out; its size, or zero when there is nothing to
  // say.
  [[nodiscard]] std::size_t close(MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearthcast::secure
