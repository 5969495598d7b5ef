// Building and reading inner membership packets in tests.
#pragma once

#include <gtest/gtest.h>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/subscription.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::membership {

inline const Time kStart = Time() + std::chrono::hours(1);
inline const IpAddress kBox = *IpAddress::parse("fe80::1");
inline const IpAddress kHost = *IpAddress::parse("fe80::1:5");

// The record types by the short names that the RFCs' tables use.
inline constexpr auto kIsIn = wire::RecordType::kModeIsInclude;
inline constexpr auto kIsEx = wire::RecordType::kModeIsExclude;
inline constexpr auto kToIn = wire::RecordType::kChangeToInclude;
inline constexpr auto kToEx = wire::RecordType::kChangeToExclude;
inline constexpr auto kAllow = wire::RecordType::kAllowNewSources;
inline constexpr auto kBlock = wire::RecordType::kBlockOldSources;

inline IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress());
}

inline Subscription any_source(std::string_view group) { return {std::nullopt, ip(group)}; }
inline Subscription from(std::string_view source, std::string_view group) { return {ip(source), ip(group)}; }

inline Buffer packet(const wire::MembershipMessage& message, const IpAddress& source = kHost) {
  const bool ip4 = source.is_ip4();
  return wire::encode_membership_packet(
      {source, ip4 ? wire::kAllIgmp3Routers : wire::kAllMld2Routers, message});
}

inline wire::MembershipReport one(wire::RecordType type, std::string_view group,
                                  std::initializer_list<std::string_view> sources = {}) {
  wire::GroupRecord record{type, ip(group)};
  for (const auto source : sources) {
    record.sources.push_back(ip(source));
  }
  return {{record}};
}

// The report in a packet that must be a valid one.
inline wire::MembershipReport report_in(const Buffer& ip_packet) {
  const auto decoded = wire::decode_membership_packet(ip_packet);
  EXPECT_TRUE(decoded);
  const auto* report = decoded ? std::get_if<wire::MembershipReport>(&decoded->message) : nullptr;
  EXPECT_NE(report, nullptr);
  return report != nullptr ? *report : wire::MembershipReport{};
}

}  // namespace hearthcast::membership
