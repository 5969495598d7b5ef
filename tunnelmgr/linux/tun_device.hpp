// A TUN interface as the program uses it that holds its descriptor: packets that the kernel sends into the
// interface are read, those that are to arrive from it are written. Needs no privilege. How one is made:
// NetdClient::open_tun().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

enum class TunWrite : std::uint8_t {
  kDone,
  kRefused,  // the kernel does not understand the frame's header (EINVAL)
  kDropped,  // the interface is down, or memory is short
};

// Reading and writing may be done by two threads.
class TunDevice {
 public:
  // Octets of a frame before the packet: struct virtio_net_hdr. In read()'s room they are free afterwards.
  static constexpr std::size_t kHeadroom = 10;

  explicit TunDevice(Fd fd) : fd_(std::move(fd)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string name() const;  // empty when it is gone
  // Another descriptor of the same interface, which lives as long as either.
  [[nodiscard]] Fd duplicate() const;
  // Whether the kernel takes many UDP datagrams in one frame (UDP_L4, of both families; since Linux 6.2).
  // What is read comes single and with whole checksums all the same.
  [[nodiscard]] bool takes_segments() const;

  // The next packet that the kernel sends, a view into room without the frame's header; empty when none
  // waits. What does not fit into room is cut.
  [[nodiscard]] Bytes read(MutableBytes room) const;
  // A frame: struct virtio_net_hdr, then an IP packet.
  [[nodiscard]] TunWrite write(Bytes frame) const;
  // One packet with whole checksums.
  [[nodiscard]] TunWrite write_packet(Bytes ip_packet) const;

 private:
  Fd fd_;
};

}  // namespace hearthcast::linux
