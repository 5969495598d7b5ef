// An upstream "wan" whose provider listens at "far_wan": what the kernel holds there, and what it reports.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tests/unit/linux/test_links.hpp"
#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/linux/group_socket.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::linux {

inline IpAddress group(Family family, int number) {
  return address(family == Family::kIp4
                     ? "239.2." + std::to_string(number / 256) + "." + std::to_string(number % 256)
                     : "ff3e::2:" + to_hex(Buffer{static_cast<std::uint8_t>(number / 256),
                                                  static_cast<std::uint8_t>(number % 256)}));
}

inline AddressSet sources(Family family, int count, int first = 1) {
  AddressSet out;
  for (int i = first; i < first + count; ++i) {
    out.insert(address((family == Family::kIp4 ? "192.0.2." : "2001:db8::") + std::to_string(i)));
  }
  return out;
}

inline SourceFilter include(AddressSet list) { return {FilterMode::kInclude, std::move(list)}; }
inline SourceFilter exclude(AddressSet list) { return {FilterMode::kExclude, std::move(list)}; }

// What the kernel holds of a group, merged over all sockets.
struct KernelFilter {
  bool joined = false;
  AddressSet included;  // by some socket
  AddressSet excluded;
};
inline KernelFilter kernel_filter(const IpAddress& group) {
  KernelFilter out;
  // The kernel lists an interface's sources only when the group that was joined last has some.
  const Family family = group.family();
  auto last = GroupSocket::open(family);
  EXPECT_EQ(last->join_source({index_of("wan"), address(family == Family::kIp4 ? "239.9.9.9" : "ff3e::9:9")},
                              *sources(family, 1).begin()),
            0);
  const bool ip4 = group.is_ip4();
  std::uint32_t number = 0;  // as the kernel prints it: in the machine's order
  std::memcpy(&number, group.bytes().data(), sizeof number);
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "%08X ", number);
  out.joined = read_file(std::string("/proc/thread-self/net/") + (ip4 ? "igmp" : "igmp6"))
                   .find(ip4 ? std::string(name.data()) : to_hex(group.bytes())) != std::string::npos;
  std::istringstream lines(
      read_file(std::string("/proc/thread-self/net/") + (ip4 ? "mcfilter" : "mcfilter6")));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string index;
    std::string device;
    std::string where;
    std::string source;
    int including = 0;
    int excluding = 0;
    words >> index >> device >> where >> source >> including >> excluding;
    const auto parse = [&](const std::string& text) {
      return IpAddress::from_bytes(from_hex(ip4 ? text.substr(2) : text).value_or(Buffer()))
          .value_or(IpAddress());
    };
    if (device == "wan" && parse(where) == group) {
      if (including > 0) {
        out.included.insert(parse(source));
      }
      if (excluding > 0) {
        out.excluded.insert(parse(source));
      }
    }
  }
  return out;
}

// Everything that is reported at the provider's end.
class Provider {
 public:
  Provider() : link_(open_link("far_wan")) {}
  // The records of that group that are heard, since it was asked about last, until one satisfies; fails when
  // none does.
  std::vector<wire::GroupRecord> hear(const IpAddress& of,
                                      const std::function<bool(const wire::GroupRecord&)>& satisfies) {
    std::vector<wire::GroupRecord> heard;
    const bool found = eventually([&] {
      while (const auto packet = link_.receive()) {
        const auto decoded = wire::decode_membership_packet(*packet);
        const auto* report = decoded ? std::get_if<wire::MembershipReport>(&decoded->message) : nullptr;
        for (const wire::GroupRecord& record :
             report != nullptr ? report->records : std::vector<wire::GroupRecord>()) {
          ++count_[record.group];
          pending_[record.group].push_back(record);
        }
      }
      for (wire::GroupRecord& record : std::exchange(pending_[of], {})) {
        heard.push_back(std::move(record));
      }
      return std::ranges::any_of(heard, satisfies);
    });
    EXPECT_TRUE(found) << of.to_string();
    return heard;
  }
  LinkSocket& link() { return link_; }
  [[nodiscard]] int count(const IpAddress& group) { return count_[group]; }  // records heard so far

 private:
  LinkSocket link_;
  std::map<IpAddress, int> count_;
  std::map<IpAddress, std::vector<wire::GroupRecord>> pending_;
};

inline bool is(const wire::GroupRecord& record, wire::RecordType type, const AddressSet& list) {
  return record.type == type && AddressSet(record.sources.begin(), record.sources.end()) == list;
}

inline void add_upstream() {
  add_cable("wan", "far_wan");
  run_ip("address add 192.0.2.100/24 dev wan");
  write_file("/proc/sys/net/ipv4/conf/wan/igmpv3_unsolicited_report_interval", "50");
  write_file("/proc/sys/net/ipv6/conf/wan/mldv2_unsolicited_report_interval", "50");
}

inline unsigned up() { return index_of("wan"); }

}  // namespace hearthcast::linux
