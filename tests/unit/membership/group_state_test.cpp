// Both tables of RFC 3810 section 7.4, row by row, with the timers and questions that their last columns ask
// for.
#include "tunnelmgr/membership/group_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::UnorderedElementsAreArray;
using wire::RecordType;
constexpr auto kInclude = FilterMode::kInclude;
constexpr auto kExclude = FilterMode::kExclude;

// Sources are one letter each: "ab" is {192.0.2.97, 192.0.2.98}.
IpAddress letter(char c) { return ip("192.0.2." + std::to_string(static_cast<int>(c))); }

std::vector<IpAddress> list(std::string_view letters) {
  std::vector<IpAddress> out;
  for (const char c : letters) {
    out.push_back(letter(c));
  }
  return out;
}

AddressSet set_of(std::string_view letters) {
  const auto all = list(letters);
  return {all.begin(), all.end()};
}

constexpr auto kMali = 260s;
const Time kSourceTimer = kStart + 111s;  // of the sources that are there before the record
const Time kFilterTimer = kStart + 222s;
const Time kNow = kStart + 10s;

struct Row {
  FilterMode mode;
  std::string_view requested;  // A of INCLUDE, X of EXCLUDE
  std::string_view excluded;   // Y
  RecordType type;
  std::string_view record;

  FilterMode new_mode;
  std::string_view kept;       // requested afterwards, with the timer of before
  std::string_view fresh;      // with the listening interval
  std::string_view as_filter;  // with the filter timer of before
  std::string_view new_excluded;
  std::string_view asked = "";  // Send Q(MA,sources)
  bool asks_group = false;      // Send Q(MA)
};

GroupState before(const Row& row) {
  GroupState state;
  if (row.mode == kExclude) {
    (void)state.on_record(kIsEx, list(row.excluded), kFilterTimer);
    // From INCLUDE of nothing all of them become excluded, as Y has to be.
  }
  (void)state.on_record(kIsIn, list(row.requested), kSourceTimer);
  return state;
}

void check(const Row& row, std::size_t number) {
  SCOPED_TRACE("row " + std::to_string(number));
  GroupState state = before(row);
  ASSERT_EQ(state.mode(), row.mode);
  ASSERT_EQ(state.excluded(), set_of(row.excluded));
  const Ask ask = state.on_record(row.type, list(row.record), kNow + kMali);
  EXPECT_EQ(state.mode(), row.new_mode);
  std::map<IpAddress, Time> timers;
  for (const auto& [letters, timer] :
       {std::pair(row.kept, kSourceTimer), {row.fresh, kNow + kMali}, {row.as_filter, kFilterTimer}}) {
    for (const IpAddress& source : list(letters)) {
      timers[source] = timer;
    }
  }
  EXPECT_EQ(state.requested(), timers);
  EXPECT_EQ(state.excluded(), set_of(row.new_excluded));
  EXPECT_THAT(ask.sources, UnorderedElementsAreArray(list(row.asked)));
  EXPECT_EQ(ask.group, row.asks_group);
  if (state.mode() == kExclude) {
    const bool restarts = row.type == kIsEx || row.type == kToEx;
    EXPECT_EQ(state.filter_timer(), restarts ? kNow + kMali : kFilterTimer);
  }
}

TEST(GroupState, FollowsTheTableOfCurrentStateRecords) {  // section 7.4.1; checklist row 22
  const Row rows[] = {
      {kInclude, "ab", "", kIsIn, "bc", kInclude, "a", "bc", "", ""},
      {kInclude, "", "", kIsIn, "a", kInclude, "", "a", "", ""},
      {kInclude, "ab", "", kIsIn, "", kInclude, "ab", "", "", ""},
      {kInclude, "ab", "", kIsEx, "bc", kExclude, "b", "", "", "c"},
      {kInclude, "ab", "", kIsEx, "", kExclude, "", "", "", ""},
      {kInclude, "", "", kIsEx, "yz", kExclude, "", "", "", "yz"},
      {kExclude, "ab", "yz", kIsIn, "by", kExclude, "a", "by", "", "z"},
      {kExclude, "", "yz", kIsIn, "yz", kExclude, "", "yz", "", ""},
      {kExclude, "ab", "yz", kIsEx, "ayc", kExclude, "a", "c", "", "y"},
      {kExclude, "ab", "yz", kIsEx, "", kExclude, "", "", "", ""},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    check(rows[i], i);
  }
}

TEST(GroupState, FollowsTheTableOfChanges) {  // section 7.4.2; checklist row 22
  const Row rows[] = {
      {kInclude, "ab", "", kAllow, "bc", kInclude, "a", "bc", "", ""},
      {kInclude, "ab", "", kBlock, "bc", kInclude, "ab", "", "", "", "b"},
      {kInclude, "ab", "", kBlock, "cd", kInclude, "ab", "", "", "", ""},
      {kInclude, "ab", "", kToEx, "bc", kExclude, "b", "", "", "c", "b"},
      {kInclude, "ab", "", kToEx, "", kExclude, "", "", "", "", ""},
      {kInclude, "ab", "", kToIn, "bc", kInclude, "a", "bc", "", "", "a"},
      {kInclude, "ab", "", kToIn, "", kInclude, "ab", "", "", "", "ab"},
      {kExclude, "ab", "yz", kAllow, "yc", kExclude, "ab", "yc", "", "z"},
      {kExclude, "ab", "yz", kBlock, "bcy", kExclude, "ab", "", "c", "yz", "bc"},
      {kExclude, "ab", "yz", kBlock, "yz", kExclude, "ab", "", "", "yz", ""},
      {kExclude, "ab", "yz", kToEx, "ayc", kExclude, "a", "", "c", "y", "ac"},
      {kExclude, "ab", "yz", kToEx, "", kExclude, "", "", "", "", ""},
      {kExclude, "ab", "yz", kToIn, "by", kExclude, "a", "by", "", "z", "a", true},
      {kExclude, "ab", "yz", kToIn, "", kExclude, "ab", "", "", "yz", "ab", true},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    check(rows[i], i);
  }
}

TEST(GroupState, ARecordOfUnknownTypeChangesNothing) {  // checklist row 22
  check({kExclude, "a", "y", static_cast<RecordType>(9), "b", kExclude, "a", "", "", "y"}, 0);
  check({kInclude, "a", "", static_cast<RecordType>(0), "b", kInclude, "a", "", "", ""}, 1);
}

TEST(GroupState, ASourceNamedTwiceCountsOnce) {
  check({kExclude, "ab", "yz", kBlock, "ccb", kExclude, "ab", "", "c", "yz", "bc"}, 0);
  check({kInclude, "", "", kAllow, "aa", kInclude, "", "a", "", ""}, 1);
}

// In a tunnel what was left needs no question: the timers go to now. Then TO_IN is exactly what the host
// says.
TEST(GroupState, WhatNobodyElseWantsCanEndAtOnce) {
  struct Left {
    FilterMode mode;
    std::string_view requested, excluded;
    RecordType type;
    std::string_view record;
    FilterMode new_mode;
    std::string_view new_requested, new_excluded;
  };
  const Left rows[] = {
      {kInclude, "ab", "", kBlock, "bc", kInclude, "a", ""},
      {kInclude, "ab", "", kToEx, "bc", kExclude, "", "bc"},
      {kInclude, "ab", "", kToIn, "bc", kInclude, "bc", ""},
      {kInclude, "ab", "", kToIn, "", kInclude, "", ""},
      {kExclude, "ab", "yz", kBlock, "bc", kExclude, "a", "yzbc"},
      {kExclude, "ab", "yz", kToEx, "ay", kExclude, "", "ay"},
      {kExclude, "ab", "yz", kToIn, "b", kInclude, "b", ""},
      {kExclude, "ab", "yz", kToIn, "", kInclude, "", ""},
  };
  for (const Left& row : rows) {
    GroupState state =
        before({row.mode, row.requested, row.excluded, row.type, "", kInclude, "", "", "", ""});
    (void)state.lower(state.on_record(row.type, list(row.record), kNow + kMali), kNow);
    state.on_deadline(kNow);
    const auto index = &row - std::begin(rows);
    EXPECT_EQ(state.mode(), row.new_mode) << index;
    EXPECT_EQ(state.excluded(), set_of(row.new_excluded)) << index;
    AddressSet requested;
    for (const auto& [source, timer] : state.requested()) {
      requested.insert(source);
    }
    EXPECT_EQ(requested, set_of(row.new_requested)) << index;
  }
}

TEST(GroupState, LowersOnlyWhatIsLaterAndNamed) {
  GroupState state;
  (void)state.on_record(kIsEx, {}, kStart + 100s);
  (void)state.on_record(kIsIn, list("a"), kStart + 1s);
  (void)state.on_record(kIsIn, list("bc"), kStart + 50s);
  EXPECT_EQ(state.lower({.group = false, .sources = list("abx")}, kStart + 2s), (Ask{false, list("b")}));
  EXPECT_EQ(state.requested().at(letter('a')), kStart + 1s);
  EXPECT_EQ(state.requested().at(letter('b')), kStart + 2s);
  EXPECT_EQ(state.requested().at(letter('c')), kStart + 50s);
  EXPECT_EQ(state.lower({.group = true}, kStart + 3s), (Ask{true, {}}));
  EXPECT_EQ(state.filter_timer(), kStart + 3s);
  EXPECT_TRUE(state.lower({.group = true}, kStart + 3s).empty());
  GroupState include;
  (void)include.on_record(kIsIn, list("a"), kStart + 50s);
  EXPECT_TRUE(include.lower({.group = true}, kStart).empty()) << "no filter timer runs in mode INCLUDE";
}

TEST(GroupState, RaisesWhatWouldEndTooSoon) {
  GroupState state;
  (void)state.on_record(kIsEx, {}, kStart + 10s);
  (void)state.on_record(kIsIn, list("a"), kStart + 5s);
  (void)state.on_record(kIsIn, list("b"), kStart + 50s);
  state.raise(kStart + 20s);
  EXPECT_EQ(state.filter_timer(), kStart + 20s);
  EXPECT_EQ(state.requested().at(letter('a')), kStart + 20s);
  EXPECT_EQ(state.requested().at(letter('b')), kStart + 50s);
}

TEST(GroupState, SourcesExpireOneByOne) {  // checklist row 23
  GroupState state;
  (void)state.on_record(kIsIn, list("a"), kStart + 10s);
  (void)state.on_record(kIsIn, list("b"), kStart + 20s);
  EXPECT_EQ(state.next_deadline(), kStart + 10s);
  state.on_deadline(kStart + 10s);
  EXPECT_EQ(state.filter(), (SourceFilter{kInclude, set_of("b")}));
  state.on_deadline(kStart + 20s);
  EXPECT_TRUE(state.empty());
  EXPECT_EQ(state.next_deadline(), kNever);
}

TEST(GroupState, ExcludeModeFallsBackToTheSourcesThatStillRun) {  // section 7.2.2; checklist row 23
  GroupState state;
  (void)state.on_record(kToEx, list("y"), kStart + 10s);
  (void)state.on_record(kAllow, list("a"), kStart + 20s);
  EXPECT_EQ(state.filter(), (SourceFilter{kExclude, set_of("y")}));
  state.on_deadline(kStart + 10s);
  EXPECT_EQ(state.filter(), (SourceFilter{kInclude, set_of("a")}));
  EXPECT_TRUE(state.excluded().empty());
}

TEST(GroupState, ExcludeModeWithoutLiveSourcesEnds) {  // checklist row 23
  GroupState state;
  (void)state.on_record(kToEx, list("y"), kStart + 10s);
  (void)state.on_record(kAllow, list("a"), kStart + 10s);
  state.on_deadline(kStart + 10s);
  EXPECT_TRUE(state.empty()) << "both timers at once: nothing is left to exclude from";
}

TEST(GroupState, ASourceThatExpiresInExcludeModeIsExcluded) {  // section 7.2.3; checklist row 23
  GroupState state;
  (void)state.on_record(kToEx, {}, kStart + 20s);
  (void)state.on_record(kAllow, list("a"), kStart + 10s);
  EXPECT_TRUE(state.filter().admits(letter('a')));
  state.on_deadline(kStart + 10s);
  EXPECT_EQ(state.filter(), (SourceFilter{kExclude, set_of("a")}));
}

TEST(GroupState, TellsWhatItAdmitsAtATime) {
  GroupState state;
  (void)state.on_record(kToEx, list("y"), kStart + 10s);
  (void)state.on_record(kAllow, list("a"), kStart + 20s);
  EXPECT_TRUE(state.admits_at(letter('b'), kStart));
  EXPECT_FALSE(state.admits_at(letter('y'), kStart));
  EXPECT_FALSE(state.admits_at(letter('b'), kStart + 10s)) << "the filter timer ran out";
  EXPECT_TRUE(state.admits_at(letter('a'), kStart + 19s));
  EXPECT_FALSE(state.admits_at(letter('a'), kStart + 20s));
}

}  // namespace
}  // namespace hearthcast::membership
