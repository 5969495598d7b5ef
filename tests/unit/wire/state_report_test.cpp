#include "tunnelmgr/wire/state_report.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const IpAddress kOwn4 = ip("192.0.2.7");
const IpAddress kOwn6 = ip("fe80::7");

IpAddress numbered(const std::string& prefix, int number) { return ip(prefix + std::to_string(number)); }

AddressSet sources(int count) {
  AddressSet out;
  for (int i = 1; i <= count; ++i) {
    out.insert(numbered("2001:db8::", i));
  }
  return out;
}

std::vector<MembershipPacket> decoded(const std::vector<Buffer>& packets) {
  std::vector<MembershipPacket> out;
  for (const Buffer& packet : packets) {
    const auto one = decode_membership_packet(packet);
    EXPECT_TRUE(one);
    if (one) {
      out.push_back(*one);
    }
  }
  return out;
}

const std::vector<GroupRecord>& records(const MembershipPacket& packet) {
  return std::get<MembershipReport>(packet.message).records;
}

const std::map<IpAddress, SourceFilter> kGroups = {
    {ip("239.1.1.1"), SourceFilter::any_source()},
    {ip("232.1.1.1"), {FilterMode::kInclude, {ip("192.0.2.1"), ip("192.0.2.2")}}},
    {ip("224.0.0.9"), SourceFilter::any_source()},
    {ip("239.1.1.9"), {}},
    {ip("ff1e::1"), {FilterMode::kExclude, {ip("2001:db8::9")}}},
    {ip("ff3e::1"), {FilterMode::kInclude, {ip("2001:db8::1")}}},
    {ip("ff02::9"), SourceFilter::any_source()},
};

TEST(StateReport, TellsModeAndSourcesOfOneFamily) {
  const auto four = decoded(encode_state_report(kGroups, kOwn4, 3));
  ASSERT_EQ(four.size(), 1U);
  EXPECT_EQ(four[0].source, kOwn4);
  EXPECT_EQ(four[0].destination, kAllIgmp3Routers);
  EXPECT_EQ(records(four[0]),
            (std::vector<GroupRecord>{
                {RecordType::kModeIsInclude, ip("232.1.1.1"), {ip("192.0.2.1"), ip("192.0.2.2")}},
                {RecordType::kModeIsExclude, ip("239.1.1.1"), {}}}));
  const auto six = decoded(encode_state_report(kGroups, kOwn6, 2));
  ASSERT_EQ(six.size(), 1U);
  EXPECT_EQ(six[0].source, kOwn6);
  EXPECT_EQ(six[0].destination, kAllMld2Routers);
  EXPECT_EQ(records(six[0]),
            (std::vector<GroupRecord>{{RecordType::kModeIsExclude, ip("ff1e::1"), {ip("2001:db8::9")}},
                                      {RecordType::kModeIsInclude, ip("ff3e::1"), {ip("2001:db8::1")}}}));
}

TEST(StateReport, GoldenOctets) {
  const std::vector<Buffer> expected = {
      hex("46c00028 00004000 010203fa 00000000 e0000016 94040000"
          "2200ebfb 00000001 02000000 ef010101")};
  EXPECT_EQ(encode_state_report({{ip("239.1.1.1"), SourceFilter::any_source()}}, ip("0.0.0.0"), 3), expected);
}

TEST(StateReport, NothingWantedIsNothingToSay) {
  EXPECT_TRUE(encode_state_report({}, kOwn4, 3).empty());
  EXPECT_TRUE(encode_state_report({{ip("239.1.1.9"), {}}}, kOwn4, 3).empty());
  EXPECT_TRUE(encode_state_report({{ip("ff3e::1"), SourceFilter::any_source()}}, kOwn4, 3).empty());
  EXPECT_TRUE(encode_state_report({{ip("224.0.0.5"), SourceFilter::any_source()}}, kOwn4, 2).empty());
}

TEST(StateReport, OlderVersionsNameEachGroupToItself) {
  for (const auto& [own, version] : {std::pair(kOwn4, 2), std::pair(kOwn4, 1), std::pair(kOwn6, 1)}) {
    const auto packets = decoded(encode_state_report(kGroups, own, version));
    ASSERT_EQ(packets.size(), 2U);
    for (const MembershipPacket& packet : packets) {
      const auto& report = std::get<OldReport>(packet.message);
      EXPECT_EQ(report.version, version);
      EXPECT_EQ(packet.destination, report.group);
      EXPECT_EQ(packet.source, own);
      EXPECT_TRUE(kGroups.contains(report.group));
    }
  }
}

TEST(StateReport, ManyGroupsFillPacketsUpToTheirSize) {
  std::map<IpAddress, SourceFilter> groups;
  for (int i = 0; i < 500; ++i) {
    groups.emplace(numbered("ff3e::", i), SourceFilter{FilterMode::kInclude, sources(i % 7 + 1)});
  }
  for (const std::size_t max_packet : {1280U, 1500U, 600U}) {
    std::map<IpAddress, SourceFilter> told;
    const auto packets = encode_state_report(groups, kOwn6, 2, max_packet);
    for (const Buffer& packet : packets) {
      EXPECT_LE(packet.size(), max_packet);
    }
    for (std::size_t i = 0; i + 1 < packets.size(); ++i) {
      EXPECT_GT(packets[i].size() + 4 + 128, max_packet) << "another record would have fitted";
    }
    for (const MembershipPacket& packet : decoded(packets)) {
      for (const GroupRecord& record : records(packet)) {
        EXPECT_EQ(record.type, RecordType::kModeIsInclude);
        told[record.group].sources.insert(record.sources.begin(), record.sources.end());
      }
    }
    EXPECT_EQ(told, groups);
  }
}

TEST(StateReport, ALongIncludeListGoesOutInPartsAndALongExcludeListIsCut) {
  const IpAddress group = ip("ff3e::1");
  const auto parts = decoded(encode_state_report({{group, {FilterMode::kInclude, sources(200)}}}, kOwn6, 2));
  EXPECT_EQ(parts.size(), 3U);
  AddressSet told;
  for (const MembershipPacket& part : parts) {
    for (const GroupRecord& record : records(part)) {
      EXPECT_EQ(record.type, RecordType::kModeIsInclude);
      EXPECT_EQ(record.group, group);
      told.insert(record.sources.begin(), record.sources.end());
    }
  }
  EXPECT_EQ(told, sources(200));
  const auto cut = decoded(encode_state_report({{group, {FilterMode::kExclude, sources(200)}}}, kOwn6, 2));
  ASSERT_EQ(cut.size(), 1U);
  ASSERT_EQ(records(cut[0]).size(), 1U);
  EXPECT_EQ(records(cut[0])[0].type, RecordType::kModeIsExclude);
  EXPECT_EQ(records(cut[0])[0].sources.size(), (1280U - 56 - 20) / 16);
}

const SourceFilter kNothing;
const SourceFilter kAny = SourceFilter::any_source();
SourceFilter include6(const std::vector<int>& numbers) {
  SourceFilter out;
  for (const int number : numbers) {
    out.sources.insert(numbered("2001:db8::", number));
  }
  return out;
}
SourceFilter exclude6(const std::vector<int>& numbers) {
  return {FilterMode::kExclude, include6(numbers).sources};
}

// Of one packet to all routers, or nothing.
std::optional<GroupRecord> join_record(const SourceFilter& before, const SourceFilter& wanted) {
  const auto packet = encode_join_report(ip("ff3e::1"), before, wanted, kOwn6, 2);
  if (!packet) {
    return std::nullopt;
  }
  const auto all = decoded({*packet});
  EXPECT_EQ(all.at(0).source, kOwn6);
  EXPECT_EQ(all.at(0).destination, kAllMld2Routers);
  EXPECT_EQ(records(all.at(0)).size(), 1U);
  EXPECT_EQ(records(all.at(0)).at(0).group, ip("ff3e::1"));
  return records(all.at(0)).at(0);
}
GroupRecord said(RecordType type, const SourceFilter& sources) {
  return {type, ip("ff3e::1"), {sources.sources.begin(), sources.sources.end()}};
}

// The table of RFC 3810 section 6.1, as far as it asks for more.
TEST(JoinReport, TellsWhatMoreIsWanted) {
  using enum RecordType;
  EXPECT_EQ(join_record(kNothing, include6({1})), said(kAllowNewSources, include6({1})));
  EXPECT_EQ(join_record(kNothing, kAny), said(kChangeToExclude, {}));
  EXPECT_EQ(join_record(kNothing, exclude6({1, 2})), said(kChangeToExclude, include6({1, 2})));
  EXPECT_EQ(join_record(include6({1}), include6({1, 2, 3})), said(kAllowNewSources, include6({2, 3})));
  EXPECT_EQ(join_record(include6({1, 2}), include6({2, 3})), said(kAllowNewSources, include6({3})));
  EXPECT_EQ(join_record(include6({1}), kAny), said(kChangeToExclude, {}));
  EXPECT_EQ(join_record(exclude6({1, 2}), exclude6({2})), said(kAllowNewSources, include6({1})));
  EXPECT_EQ(join_record(exclude6({1}), kAny), said(kAllowNewSources, include6({1})));
}

TEST(JoinReport, SaysNothingWhereNothingMoreIsWanted) {
  EXPECT_EQ(join_record(kNothing, kNothing), std::nullopt);
  EXPECT_EQ(join_record(include6({1}), include6({1})), std::nullopt);
  EXPECT_EQ(join_record(include6({1, 2}), include6({1})), std::nullopt);
  EXPECT_EQ(join_record(include6({1}), kNothing), std::nullopt);
  EXPECT_EQ(join_record(kAny, kAny), std::nullopt);
  EXPECT_EQ(join_record(kAny, exclude6({1})), std::nullopt);
  EXPECT_EQ(join_record(kAny, include6({1})), std::nullopt);
  EXPECT_EQ(join_record(kAny, kNothing), std::nullopt);
}

TEST(JoinReport, GoldenOctets) {
  const SourceFilter one{FilterMode::kInclude, {ip("192.0.2.1")}};
  const auto packet = encode_join_report(ip("232.1.1.1"), kNothing, one, ip("0.0.0.0"), 3);
  ASSERT_TRUE(packet);
  EXPECT_EQ(*packet, hex("46c0002c 00004000 010203f6 00000000 e0000016 94040000"
                         "22002df9 00000001 05000001 e8010101 c0000201"));
}

TEST(JoinReport, OlderVersionsNameTheGroupOnceItIsWantedAtAll) {
  for (const auto& [own, group, version] :
       {std::tuple(kOwn4, "232.1.1.1", 2), std::tuple(kOwn4, "239.1.1.1", 1),
        std::tuple(kOwn6, "ff3e::1", 1)}) {
    const SourceFilter one{FilterMode::kInclude, {ip(own.is_ip4() ? "192.0.2.1" : "2001:db8::1")}};
    for (const SourceFilter& wanted : {one, kAny}) {
      const auto packet = encode_join_report(ip(group), kNothing, wanted, own, version);
      ASSERT_TRUE(packet) << group;
      const auto one_packet = decoded({*packet});
      EXPECT_EQ(one_packet.at(0).destination, ip(group));
      EXPECT_EQ(one_packet.at(0).source, own);
      EXPECT_EQ(std::get<OldReport>(one_packet.at(0).message), (OldReport{version, ip(group)}));
    }
    EXPECT_FALSE(encode_join_report(ip(group), one, kAny, own, version)) << "it was named already";
    EXPECT_FALSE(encode_join_report(ip(group), one, kNothing, own, version));
    EXPECT_FALSE(encode_join_report(ip(group), kNothing, kNothing, own, version));
  }
}

TEST(JoinReport, IsOnlyOfGroupsBeyondTheLinkAndOfWhoMaySpeak) {
  const auto made = [](const char* group, const char* own, int version) {
    return encode_join_report(ip(group), kNothing, kAny, ip(own), version).has_value();
  };
  EXPECT_TRUE(made("ff3e::1", "fe80::1", 2));
  EXPECT_TRUE(made("239.1.1.1", "0.0.0.0", 3));
  EXPECT_FALSE(made("ff3e::1", "2001:db8::1", 2)) << "routers do not heed it";
  EXPECT_FALSE(made("ff3e::1", "::", 2));
  EXPECT_FALSE(made("ff02::9", "fe80::1", 2));
  EXPECT_FALSE(made("224.0.0.9", "192.0.2.7", 3));
  EXPECT_FALSE(made("224.0.0.9", "192.0.2.7", 2));
  EXPECT_FALSE(made("ff3e::1", "192.0.2.7", 3));
  EXPECT_FALSE(made("239.1.1.1", "fe80::1", 2));
  EXPECT_FALSE(made("192.0.2.1", "192.0.2.7", 3));
}

TEST(JoinReport, IsOnePacketHoweverLongTheList) {
  for (const std::size_t max_packet : {1280U, 600U}) {
    for (const FilterMode mode : {FilterMode::kInclude, FilterMode::kExclude}) {
      const auto packet =
          encode_join_report(ip("ff3e::1"), kNothing, {mode, sources(200)}, kOwn6, 2, max_packet);
      ASSERT_TRUE(packet);
      EXPECT_LE(packet->size(), max_packet);
      EXPECT_GT(packet->size() + 16, max_packet) << "another source would have fitted";
      const auto all = decoded({*packet});
      for (const IpAddress& source : records(all.at(0)).at(0).sources) {
        EXPECT_TRUE(sources(200).contains(source));
      }
    }
  }
}

TEST(MembershipChecksum, IsCompletedWhereItIsMissing) {
  for (const Buffer& right :
       {encode_state_report(kGroups, kOwn4, 3)[0], encode_state_report(kGroups, kOwn6, 2)[0]}) {
    Buffer packet = right;
    const std::size_t field = packet[0] >> 4 == 4 ? 24 + 2 : 48 + 2;
    packet[field] ^= 0xA5;
    EXPECT_FALSE(decode_membership_packet(packet));
    complete_membership_checksum(packet);
    EXPECT_EQ(packet, right);
    complete_membership_checksum(packet);
    EXPECT_EQ(packet, right);
    for (std::size_t size = 0; size < right.size();
         ++size) {  // a part is left alone, and read to its end only
      Buffer part(right.begin(), right.begin() + static_cast<std::ptrdiff_t>(size));
      const Buffer before = part;
      complete_membership_checksum(part);
      EXPECT_EQ(part, before);
    }
  }
}

}  // namespace
}  // namespace hearthcast::wire
