// The shared UDP port of a program: STUN, DTLS and media of all peers, both families, batched.
//
// Receiving belongs to one thread. Sending is safe from several threads at once.
#pragma once

#include <atomic>
#include <memory>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/receive_batch.hpp"
#include "tunnelmgr/linux/return_addresses.hpp"

namespace hearthcast::linux {

struct UdpOptions {
  std::uint16_t port = 0;                // 0: the kernel chooses
  std::optional<IpAddress> address{};    // nullopt: all addresses of both families
  std::size_t receive_buffer = 1 << 20;  // octets wished for; the kernel may give less (receive_buffer())
  // Send to whoever was heard from the address that they addressed: for servers, which a peer reaches at one
  // of several addresses. Not for who moves between networks and speaks first.
  bool answer_from_addressed = false;
  // Nothing is fragmented on its way: what is larger than the interface takes is kTooBig, and what is larger
  // than the path takes is lost without a word. For a sender that finds out the path's size by probes.
  bool probe_path_size = false;
  std::uint8_t dscp = 0;  // of all that is sent (RFC 2474)
};

enum class SendOutcome {
  kSent,
  kDropped,      // no room in the kernel's queue now (EAGAIN, ENOBUFS): lost, as on a full link
  kTooBig,       // EMSGSIZE: more than a UDP datagram can be, or than the interface takes when probing
  kUnreachable,  // no route, wrong family, forbidden by a filter: error says which
};

struct SendResult {
  SendOutcome outcome = SendOutcome::kSent;
  std::size_t datagrams = 0;  // how many left, from the first on; all of them when kSent
  int error = 0;              // errno when not kSent
};

class UdpSocket {
 public:
  [[nodiscard]] static Result<UdpSocket, Failure> open(const UdpOptions& options);
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool reaches(Family family) const;   // false for IPv6 on a machine without it
  [[nodiscard]] std::size_t receive_buffer() const;  // octets the kernel really gives, its overhead included

  [[nodiscard]] ReceiveBatch::Received receive(ReceiveBatch& batch);

  SendResult send(const Endpoint& to, Bytes payload);

  // Sends count datagrams that lie one after the other in slab, each of stride octets except the last, of
  // last_size (1 to stride) octets. One system call for up to 64 of them where the kernel offers UDP_SEGMENT;
  // after an EIO (an interface without checksum offload) one datagram a message, for good. What is larger
  // than the path takes goes singly and is fragmented, or is kTooBig when path sizes are probed.
  // ecn: the two bits of the header (RFC 3168).
  SendResult send_segments(const Endpoint& to, Bytes slab, std::size_t stride, std::size_t count,
                           std::size_t last_size, std::uint8_t ecn = 0);

  [[nodiscard]] bool offloads() const { return offload_.load(std::memory_order_relaxed); }
  void stop_offloading() { offload_.store(false, std::memory_order_relaxed); }

  // The machine's addresses or routes have changed: the kernel chooses until a peer is heard again.
  void on_network_change();

 private:
  UdpSocket(Fd fd, int family, std::uint16_t port, bool offload, std::uint8_t dscp);
  template <class Attempt>
  SendResult from_addressed(const Endpoint& to, Attempt attempt);

  Fd fd_;
  int family_;
  std::uint16_t port_;
  std::atomic<bool> offload_;
  std::uint8_t dscp_;
  std::unique_ptr<ReturnAddresses> returns_;  // null: the kernel chooses
};

}  // namespace hearthcast::linux
