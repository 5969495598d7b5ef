#include "tunnelmgr/linux/tcp_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/socket_address.hpp"

namespace hearthcast::linux {
namespace {

// What is not acknowledged for that long ends the connection: whoever uses it has other ways.
constexpr int kPatienceMs = 10'000;
constexpr int kUnsent = 64 * 1024;  // octets that wait in the kernel before it takes no more: delay, else

void set(int fd, int level, int option, int value) {
  // Each of them only makes it better.
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

TcpStream::Moved stopped(int error) {
  const bool waits = error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOTCONN;
  return {0, waits ? TcpStream::State::kWaits : TcpStream::State::kEnded, waits ? 0 : error};
}

}  // namespace

Result<TcpStream, Failure> TcpStream::connect(const Endpoint& to) {
  const int family = to.address.is_ip6() ? AF_INET6 : AF_INET;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    return kernel_failure("cannot make a TCP socket", errno);
  }
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kPatienceMs);
  set(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsent);
  const SocketAddress address = to_socket_address(to, family);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
      errno != EINPROGRESS) {
    return kernel_failure("cannot connect to " + to.to_string(), errno);
  }
  return TcpStream(std::move(fd));
}

int TcpStream::error() const {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

TcpStream::Moved TcpStream::read(MutableBytes room) {
  const auto size = ::recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (size < 0) {
    return stopped(errno);
  }
  return {static_cast<std::size_t>(size), size == 0 ? State::kEnded : State::kGoesOn, 0};
}

TcpStream::Moved TcpStream::write(Bytes octets) {
  const auto size = ::send(fd_.get(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0) {
    return stopped(errno);
  }
  return {static_cast<std::size_t>(size), State::kGoesOn, 0};
}

}  // namespace hearthcast::linux
