// An OpenSSL BIO between memory and one SSL: a datagram in, datagrams out into a list or straight into memory
// of the caller. It never copies into memory of its own when sealing, and never touches a socket.
#pragma once

#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {

// The two ends that the BIO moves octets between. Must outlive the BIO, at the same address.
struct DatagramPort {
  Bytes input;                          // the datagram to read next; read once
  std::vector<Buffer>* list = nullptr;  // where written datagrams go; null: into slab
  MutableBytes slab;                    // used from the front
  std::size_t written = 0;              // octets of slab in use
};

[[nodiscard]] BioHandle make_datagram_bio(DatagramPort& port);  // null only when out of memory

}  // namespace hearthcast::secure
