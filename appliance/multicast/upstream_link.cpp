#include "appliance/multicast/upstream_link.hpp"

#include <algorithm>

#include "appliance/multicast/downstream.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"
#include "tunnelmgr/wire/state_report.hpp"

namespace hearthcast::multicast {
namespace {

int newest(Family family) { return family == Family::kIp4 ? 3 : 2; }

}  // namespace

std::vector<proxy::QuerySeen> UpstreamLink::on_readable(Time now) {
  std::vector<proxy::QuerySeen> seen;
  for (int count = 0; link_ && count < kPacketsAtOnce; ++count) {
    const auto bytes = link_->receive();
    if (!bytes) {
      break;
    }
    const auto packet = wire::decode_membership_packet(*bytes);
    const auto* query = packet ? std::get_if<wire::MembershipQuery>(&packet->message) : nullptr;
    if (query == nullptr) {
      continue;  // reports of other hosts are none of ours
    }
    const Family family = packet->source.family();
    if (query->version < newest(family)) {
      older_[static_cast<std::size_t>(family)] = Older{query->version, now};
    }
    seen.push_back({packet->source, static_cast<unsigned>(query->version)});
  }
  return seen;
}

void UpstreamLink::on_joined(const linux::Interface& interface, const IpAddress& group,
                             const SourceFilter& before, const SourceFilter& wanted, Time now) {
  const Family family = group.family();
  const auto own = querier_address(interface, family);
  if (!link_ || !own || !interface.running) {
    return;
  }
  const auto packet = wire::encode_join_report(group, before, wanted, *own, version(family, now));
  if (packet && joins_.take(now)) {
    (void)link_->send(*packet);  // what is not sent the kernel tells, as it does anyway
  }
}

void UpstreamLink::report_again(Time now) {
  reports_left_ = kReports;
  report_at_ = now;
}

int UpstreamLink::version(Family family, Time now) const {
  const auto& older = older_[static_cast<std::size_t>(family)];
  return older && now - older->heard < kOlderQuerierPresent ? older->version : newest(family);
}

void UpstreamLink::on_deadline(const linux::Interface& interface, Memberships& memberships, Time now) {
  if (report_at_ > now || reports_left_ == 0) {
    return;
  }
  report_at_ = --reports_left_ > 0 ? now + kReportInterval : kNever;
  if (link_) {
    (void)memberships.report_again(*link_,
                                   {.own_ip4 = querier_address(interface, Family::kIp4).value_or(IpAddress()),
                                    .own_ip6 = querier_address(interface, Family::kIp6),
                                    .igmp_version = version(Family::kIp4, now),
                                    .mld_version = version(Family::kIp6, now)});
  }
}

}  // namespace hearthcast::multicast
