#include "tunnelmgr/secure/datagram_bio.hpp"

#include <algorithm>

namespace hearthcast::secure {
namespace {

constexpr long kIp6UdpOverhead = 48;

DatagramPort& port_of(BIO* bio) { return *static_cast<DatagramPort*>(BIO_get_data(bio)); }

// A datagram is read in one piece; what does not fit is lost, as with a socket.
int read(BIO* bio, char* out, int room) {
  BIO_clear_retry_flags(bio);
  DatagramPort& port = port_of(bio);
  if (port.input.empty() || room <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t size = std::min(port.input.size(), static_cast<std::size_t>(room));
  std::copy_n(port.input.begin(), size, reinterpret_cast<std::uint8_t*>(out));
  port.input = {};
  return static_cast<int>(size);
}

int write(BIO* bio, const char* octets, int size) {
  BIO_clear_retry_flags(bio);
  DatagramPort& port = port_of(bio);
  const Bytes datagram(reinterpret_cast<const std::uint8_t*>(octets), static_cast<std::size_t>(size));
  if (port.list != nullptr) {
    port.list->emplace_back(datagram.begin(), datagram.end());
    return size;
  }
  if (port.slab.size() - port.written < datagram.size()) {
    return -1;
  }
  std::copy(datagram.begin(), datagram.end(), port.slab.begin() + static_cast<std::ptrdiff_t>(port.written));
  port.written += datagram.size();
  return size;
}

long control(BIO*, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return kIp6UdpOverhead;
    default:
      return 0;
  }
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
  if (method != nullptr) {
    BIO_meth_set_read(method, read);
    BIO_meth_set_write(method, write);
    BIO_meth_set_ctrl(method, control);
  }
  return method;
}

}  // namespace

BioHandle make_datagram_bio(DatagramPort& port) {
  static BIO_METHOD* const method =
      make_method();  // one for the life of the program, made by whoever is first
  BioHandle bio(method == nullptr ? nullptr : BIO_new(method));
  if (bio) {
    BIO_set_data(bio.get(), &port);
    BIO_set_init(bio.get(), 1);
  }
  return bio;
}

}  // namespace hearthcast::secure
