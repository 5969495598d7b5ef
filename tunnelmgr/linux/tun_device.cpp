#include "tunnelmgr/linux/tun_device.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tunnelmgr/linux/tun_interface.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::size_t kFrameHeader = TunDevice::kHeadroom;  // linux/virtio_net.h is no C++
// linux/if_tun.h of Debian 12 is older than they are.
constexpr unsigned kUso4 = 0x20;
constexpr unsigned kUso6 = 0x40;

TunWrite outcome(ssize_t written) {
  if (written >= 0) {
    return TunWrite::kDone;
  }
  return errno == EINVAL ? TunWrite::kRefused : TunWrite::kDropped;
}

}  // namespace

std::string TunDevice::name() const {
  auto name = name_of_tun(fd_.get());
  return name ? std::move(*name) : std::string();
}

Fd TunDevice::duplicate() const { return Fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)); }

bool TunDevice::takes_segments() const {
  const bool takes = ::ioctl(fd_.get(), TUNSETOFFLOAD, TUN_F_CSUM | kUso4 | kUso6) == 0;
  // This is about what we are given, which is to stay simple.
  static_cast<void>(::ioctl(fd_.get(), TUNSETOFFLOAD, 0));
  return takes;
}

Bytes TunDevice::read(MutableBytes room) const {
  for (;;) {
    const ssize_t got = ::read(fd_.get(), room.data(), room.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= static_cast<ssize_t>(kFrameHeader)) {
      return {};
    }
    return Bytes(room).subspan(kFrameHeader, static_cast<std::size_t>(got) - kFrameHeader);
  }
}

TunWrite TunDevice::write(Bytes frame) const {
  return outcome(::write(fd_.get(), frame.data(), frame.size()));
}

TunWrite TunDevice::write_packet(Bytes ip_packet) const {
  std::array<std::uint8_t, kFrameHeader> header{};
  const std::array<iovec, 2> parts{iovec{header.data(), header.size()},
                                   iovec{const_cast<std::uint8_t*>(ip_packet.data()), ip_packet.size()}};
  return outcome(::writev(fd_.get(), parts.data(), static_cast<int>(parts.size())));
}

}  // namespace hearthcast::linux
