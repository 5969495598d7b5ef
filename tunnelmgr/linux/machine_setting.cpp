#include "tunnelmgr/linux/machine_setting.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::uint32_t kMostMemberships = 4096;
constexpr std::uint32_t kMostSources = 4096;

Result<std::string, KernelError> path_of(MachineSetting setting, unsigned interface_index) {
  if (interface_index != 0 && !is_per_interface(setting)) {
    return KernelError{EINVAL};
  }
  std::array<char, IF_NAMESIZE> name{"all"};
  if (interface_index != 0 && ::if_indextoname(interface_index, name.data()) == nullptr) {
    return KernelError{ENODEV};
  }
  std::string path = "/proc/sys/";
  for (const char c : name_of(setting)) {
    if (c == 'X') {
      path += name.data();  // which may have dots
    } else {
      path += c == '.' ? '/' : c;
    }
  }
  return path;
}

}  // namespace

SettingRange allowed(MachineSetting setting) {
  switch (setting) {
    case MachineSetting::kIgmpMaxMemberships:
      return {1, kMostMemberships};
    case MachineSetting::kIgmpMaxSources:
    case MachineSetting::kMldMaxSources:
      return {1, kMostSources};
    case MachineSetting::kReversePathFilter:
      return {0, 2};
  }
  return {};
}

std::string name_of(MachineSetting setting) {
  switch (setting) {
    case MachineSetting::kIgmpMaxMemberships:
      return "net.ipv4.igmp_max_memberships";
    case MachineSetting::kIgmpMaxSources:
      return "net.ipv4.igmp_max_msf";
    case MachineSetting::kMldMaxSources:
      return "net.ipv6.mld_max_msf";
    case MachineSetting::kReversePathFilter:
      return "net.ipv4.conf.X.rp_filter";
  }
  return {};
}

bool is_per_interface(MachineSetting setting) { return setting == MachineSetting::kReversePathFilter; }

Result<std::uint32_t, KernelError> read_setting(MachineSetting setting, unsigned interface_index) {
  const auto path = path_of(setting, interface_index);
  if (!path) {
    return path.error();
  }
  const Fd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 16> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) {
    return KernelError{errno};
  }
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + size, value);
  if (parsed.ec != std::errc()) {
    return KernelError{EINVAL};
  }
  return value;
}

Result<void, KernelError> write_setting(MachineSetting setting, unsigned interface_index,
                                        std::uint32_t value) {
  const SettingRange range = allowed(setting);
  if (value < range.least || value > range.most || (is_per_interface(setting) && interface_index == 0)) {
    return KernelError{EINVAL};
  }
  const auto path = path_of(setting, interface_index);
  if (!path) {
    return path.error();
  }
  const Fd file(::open(path->c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(value);
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return KernelError{errno};
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::linux
