// The tables of RFC 3810 section 7.4, with leaves that take effect at once.
#include "tunnelmgr/membership/old_group_state.hpp"

#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"

namespace hearthcast::membership::old {
namespace {

using wire::RecordType;
using Mode = GroupState::Mode;
constexpr auto kIsIn = RecordType::kModeIsInclude;
constexpr auto kIsEx = RecordType::kModeIsExclude;
constexpr auto kToIn = RecordType::kChangeToInclude;
constexpr auto kToEx = RecordType::kChangeToExclude;
constexpr auto kAllow = RecordType::kAllowNewSources;
constexpr auto kBlock = RecordType::kBlockOldSources;

// Sources are one letter each: "ab" is {192.0.2.97, 192.0.2.98}.
IpAddress letter(char c) { return ip("192.0.2." + std::to_string(static_cast<int>(c))); }

std::vector<IpAddress> list(std::string_view letters) {
  std::vector<IpAddress> out;
  for (const char c : letters) {
    out.push_back(letter(c));
  }
  return out;
}

std::set<IpAddress> set_of(std::string_view letters) {
  const auto all = list(letters);
  return {all.begin(), all.end()};
}

struct Row {
  Mode mode;
  std::string_view requested;
  std::string_view excluded;
  RecordType type;
  std::string_view sources;
  Mode new_mode;
  std::string_view new_requested;
  std::string_view new_excluded;
};

GroupState state_of(const Row& row) {
  GroupState state;
  const Time until = kStart + std::chrono::seconds(22);
  if (row.mode == Mode::kExclude) {
    state.on_record(kToEx, list(row.excluded), until);
  }
  state.on_record(kIsIn, list(row.requested), until);
  return state;
}

TEST(GroupState, FollowsTheTables) {
  const Row rows[] = {
      // INCLUDE (B), current state
      {Mode::kInclude, "ab", "", kIsIn, "bc", Mode::kInclude, "abc", ""},
      {Mode::kInclude, "ab", "", kIsEx, "bc", Mode::kExclude, "b", "c"},
      {Mode::kInclude, "", "", kIsEx, "", Mode::kExclude, "", ""},
      // EXCLUDE (X,Y), current state
      {Mode::kExclude, "ab", "yz", kIsIn, "by", Mode::kExclude, "aby", "z"},
      {Mode::kExclude, "ab", "yz", kIsEx, "ayc", Mode::kExclude, "ac", "y"},
      // INCLUDE (B), changes
      {Mode::kInclude, "ab", "", kAllow, "c", Mode::kInclude, "abc", ""},
      {Mode::kInclude, "ab", "", kBlock, "bc", Mode::kInclude, "a", ""},
      {Mode::kInclude, "ab", "", kToEx, "bc", Mode::kExclude, "", "bc"},
      {Mode::kInclude, "ab", "", kToIn, "bc", Mode::kInclude, "bc", ""},
      {Mode::kInclude, "ab", "", kToIn, "", Mode::kInclude, "", ""},
      // EXCLUDE (X,Y), changes
      {Mode::kExclude, "ab", "yz", kAllow, "yc", Mode::kExclude, "abyc", "z"},
      {Mode::kExclude, "ab", "yz", kBlock, "bc", Mode::kExclude, "a", "yzbc"},
      {Mode::kExclude, "ab", "yz", kToEx, "ay", Mode::kExclude, "", "ay"},
      {Mode::kExclude, "ab", "yz", kToIn, "b", Mode::kInclude, "b", ""},
      {Mode::kExclude, "ab", "yz", kToIn, "", Mode::kInclude, "", ""},
      // a type that nobody knows
      {Mode::kExclude, "a", "y", static_cast<RecordType>(9), "b", Mode::kExclude, "a", "y"},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const Row& row = rows[i];
    GroupState state = state_of(row);
    state.on_record(row.type, list(row.sources), kStart + std::chrono::seconds(30));
    EXPECT_EQ(state.mode(), row.new_mode) << "row " << i;
    EXPECT_EQ(state.requested(), set_of(row.new_requested)) << "row " << i;
    EXPECT_EQ(state.excluded(), set_of(row.new_excluded)) << "row " << i;
  }
}

TEST(GroupState, SourcesExpireOneByOne) {
  GroupState state;
  state.on_record(kIsIn, list("a"), kStart + std::chrono::seconds(10));
  state.on_record(kIsIn, list("b"), kStart + std::chrono::seconds(20));
  EXPECT_EQ(state.next_deadline(), kStart + std::chrono::seconds(10));
  state.on_deadline(kStart + std::chrono::seconds(10));
  EXPECT_EQ(state.requested(), set_of("b"));
  state.on_deadline(kStart + std::chrono::seconds(20));
  EXPECT_TRUE(state.empty());
  EXPECT_EQ(state.next_deadline(), kNever);
}

TEST(GroupState, ExcludeModeFallsBackToTheSourcesThatStillRun) {  // section 7.2.2
  GroupState state;
  state.on_record(kToEx, list("y"), kStart + std::chrono::seconds(10));
  state.on_record(kAllow, list("a"), kStart + std::chrono::seconds(20));
  EXPECT_EQ(state.wanted(), std::set<std::optional<IpAddress>>{std::nullopt});
  state.on_deadline(kStart + std::chrono::seconds(10));
  EXPECT_EQ(state.mode(), Mode::kInclude);
  EXPECT_EQ(state.requested(), set_of("a"));
  EXPECT_TRUE(state.excluded().empty());
}

TEST(GroupState, ASourceThatExpiresInExcludeModeIsExcluded) {  // section 7.2.3
  GroupState state;
  state.on_record(kToEx, {}, kStart + std::chrono::seconds(20));
  state.on_record(kAllow, list("a"), kStart + std::chrono::seconds(10));
  state.on_deadline(kStart + std::chrono::seconds(10));
  EXPECT_EQ(state.mode(), Mode::kExclude);
  EXPECT_EQ(state.excluded(), set_of("a"));
}

}  // namespace
}  // namespace hearthcast::membership::old
