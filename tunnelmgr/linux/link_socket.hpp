// MLD and IGMP as they are on one link: whole IP packets in from every host there, whole IP packets out.
//
// An AF_PACKET socket whose kernel filter passes IGMP and MLD only (MLD without its Router Alert, too, so
// that the reader can count what is wrong), not what this machine sent itself, nothing of other VLANs, and
// nothing that was sent to another host's address. It hears all multicast of the link (PACKET_MR_ALLMULTI)
// until it is told not to.
// Works on Ethernet-like links, bridges and veth as well as on links without addresses (TUN, PPP, tunnels).
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::linux {

class LinkSocket {
 public:
  // Needs CAP_NET_RAW or a helper. The interface may be down: the socket hears once it is up, and goes on
  // after every down and up. The client is used during this call only.
  [[nodiscard]] static Result<LinkSocket, Failure> open(unsigned interface_index, NetdClient& netd);

  // From now on only what this machine listens to: the queries that are for it, not the reports of others.
  // The card need not take in every stream of the link any more. Harmless when repeated.
  void hear_own_groups_only();

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when a packet may wait
  [[nodiscard]] unsigned interface_index() const { return interface_index_; }

  // The next whole IP packet, valid until the next call; nullopt when none waits. Its checksums are complete,
  // also when the kernel had left one to a network card (a packet from a virtual machine on this host).
  [[nodiscard]] std::optional<Bytes> receive();
  // The interface was deleted: this socket will never hear again. (A link that is only down is not gone.) A
  // new interface of the same name has another index and needs a new socket.
  [[nodiscard]] bool gone() const;

  // Sends a whole IP packet to the link address of its destination, a multicast group. Complete it before:
  // nothing is filled in, no checksum is left to anyone. A Failure is of the moment (link down, queue full)
  // unless gone() is true.
  [[nodiscard]] Result<void, Failure> send(Bytes ip_packet);

  // Packets that came and were lost since the socket was opened, because nobody read in time.
  [[nodiscard]] std::uint64_t overflow();

 private:
  LinkSocket(Fd fd, unsigned interface_index);

  Fd fd_;
  unsigned interface_index_;
  std::uint64_t overflow_ = 0;
  Buffer room_;
};

}  // namespace hearthcast::linux
