// The host's side on upstream interfaces: what the proxy wants of each group there, joined through the
// kernel, which then reports, answers queries and falls back to older versions by itself.
//
// As many sockets as it takes: the kernel allows 20 groups and 10 sources per group on one IPv4 socket
// (net.ipv4.igmp_max_memberships, igmp_max_msf), and merges what several sockets want. Only an EXCLUDE list
// cannot be spread; beyond the limit the helper raises it, and where that fails (set() says it) the sources
// too many are not excluded: more may come than was asked for, never less. Needs no privilege. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/linux/link_socket.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::linux {

class UpstreamMemberships {
 public:
  // The client has to outlive this object.
  explicit UpstreamMemberships(NetdClient& netd);
  UpstreamMemberships(UpstreamMemberships&&) noexcept;
  UpstreamMemberships& operator=(UpstreamMemberships&&) noexcept;
  ~UpstreamMemberships();  // leaves everything

  // What is wanted of the group on that interface from now on; INCLUDE of nothing leaves. The same filter
  // again does nothing. A source more or less goes out as ALLOW or BLOCK, never as leave and join, and no
  // moment lies between in which less is joined than both the old and the new filter want (checklist rows 5
  // and 36). Failure: with kGone the interface does not exist (any more); nothing is joined there now, retry
  // with what replaces it. With kPartly the filter holds, but for the EXCLUDE list; ask for nothing again.
  // With kRefused the kernel had no room or the group is none: what could be joined is joined; retry later.
  enum class Outcome : std::uint8_t { kDone, kGone, kPartly, kRefused };
  struct Answer {
    Outcome outcome = Outcome::kDone;
    std::string text;  // for people, what to do included; empty when done
  };
  [[nodiscard]] Answer set(unsigned interface_index, const IpAddress& group, const SourceFilter& filter);
  // The interface is gone or no upstream any more: leaves all of its groups.
  void forget(unsigned interface_index);

  // What was last set and holds; INCLUDE of nothing for what was not.
  [[nodiscard]] SourceFilter joined(unsigned interface_index, const IpAddress& group) const;
  [[nodiscard]] std::map<IpAddress, SourceFilter> joined(unsigned interface_index) const;

  // Tells the routers of that link once more what is joined there, without leaving anything: after a link
  // came back, an address changed, a provider forgot (checklist row 43). One copy: the caller repeats it as
  // its robustness asks. Sent from own_ip4 (0.0.0.0 is allowed) and own_ip6 (a usable link-local address);
  // without one that family is not reported. Versions: what the link's querier speaks (IGMP 1 to 3, MLD 1 or
  // 2); old versions can only name groups. Says how many packets went out.
  struct ReportAs {
    std::optional<IpAddress> own_ip4 = IpAddress{};
    std::optional<IpAddress> own_ip6;
    int igmp_version = 3;
    int mld_version = 2;
  };
  [[nodiscard]] Result<std::size_t, Failure> report_again(LinkSocket& link, const ReportAs& as) const;

  [[nodiscard]] std::size_t sockets() const;  // open now, for status

 private:
  struct State;
  [[nodiscard]] Answer finish(unsigned interface_index, const IpAddress& group, const SourceFilter& filter,
                              int error);
  std::unique_ptr<State> state_;
};

}  // namespace hearthcast::linux
