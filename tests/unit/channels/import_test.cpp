#include "appliance/channels/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::channels {
namespace {

using testing::HasSubstr;
using Kind = LineResult::Kind;

Listing listing(std::string name, std::uint32_t group, std::uint16_t port) {
  Listing l;
  l.flow.group = IpAddress::ip4(group);
  l.flow.port = port;
  l.name = std::move(name);
  return l;
}

constexpr std::uint32_t kGroup = 0xef010101;  // 239.1.1.1

TEST(Import, SaysForEachLineWhatBecameOfIt) {
  Catalogue catalogue;
  const std::vector<ImportLine> first = {{2, listing("One", kGroup, 5000)},
                                         {4, Failure{"not a channel address"}},
                                         {6, listing("Two", kGroup + 1, 5000)},
                                         {8, listing("Link", 0xe0000001, 5000)}};
  const ImportResult result = import_lines(catalogue, first);
  EXPECT_EQ(result.added, 2U);
  EXPECT_EQ(result.failed, 2U);
  ASSERT_EQ(result.lines.size(), 4U);
  EXPECT_EQ(result.lines[0].kind, Kind::kAdded);
  EXPECT_EQ(catalogue.find(*result.lines[0].channel)->name, "One");
  EXPECT_EQ(result.lines[1].error, "not a channel address");
  EXPECT_EQ(result.lines[1].line, 4U);
  EXPECT_THAT(result.lines[3].error, HasSubstr("never leaves its own link"));

  const ImportResult again =
      import_lines(catalogue, {{1, listing("One", kGroup, 5000)}, {2, listing("Zwei", kGroup + 1, 5000)}});
  EXPECT_EQ(again.unchanged, 1U);
  EXPECT_EQ(again.updated, 1U);
  EXPECT_EQ(again.lines[0].channel, result.lines[0].channel);
  EXPECT_EQ(again.lines[1].channel, result.lines[2].channel);
}

TEST(Import, ADuplicateFailsAndNamesTheFirst) {
  Catalogue catalogue;
  const auto result =
      import_lines(catalogue, {{3, listing("One", kGroup, 5000)}, {9, listing("Other", kGroup, 5000)}});
  EXPECT_EQ(result.added, 1U);
  EXPECT_EQ(result.failed, 1U);
  EXPECT_THAT(result.lines[1].error, HasSubstr("line 3"));
  EXPECT_EQ(catalogue.channels().at(0).name, "One");
}

TEST(Import, AChannelThatIsNotMentionedStays) {
  Catalogue catalogue;
  (void)import_lines(catalogue, {{1, listing("One", kGroup, 5000)}});
  (void)import_lines(catalogue, {{1, listing("Two", kGroup + 1, 5000)}});
  EXPECT_EQ(catalogue.channels().size(), 2U);
}

TEST(Import, TenThousandLinesAllFindTheirPlace) {
  Catalogue catalogue;
  std::vector<ImportLine> lines;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    lines.push_back({i + 1, listing("channel " + std::to_string(i), kGroup + i, 5000)});
  }
  EXPECT_EQ(import_lines(catalogue, lines).added, 10'000U);
  EXPECT_EQ(import_lines(catalogue, lines).unchanged, 10'000U);
  EXPECT_EQ(catalogue.channels()[9'999].name, "channel 9999");
}

}  // namespace
}  // namespace hearthcast::channels
