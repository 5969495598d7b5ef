#include "tunnelmgr/playout/ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace hearthcast::playout {
namespace {

std::string text(const std::optional<Ring::Pieces>& pieces) {
  return pieces ? std::string(as_text((*pieces)[0])) + std::string(as_text((*pieces)[1])) : "gone";
}

TEST(Ring, ReadersSeeWhatFollowsTheirPlace) {
  Ring ring(8);
  EXPECT_EQ(text(ring.read(0)), "");
  ring.append(as_bytes("abcde"));
  EXPECT_EQ(text(ring.read(0)), "abcde");
  EXPECT_EQ(text(ring.read(3)), "de");
  EXPECT_EQ(text(ring.read(5)), "");
  EXPECT_EQ(text(ring.read(6)), "gone") << "the future is no place";
  ring.append(as_bytes("fghij"));
  EXPECT_EQ(text(ring.read(3)), "defghij");
  EXPECT_EQ(ring.begin(), 2U);
  EXPECT_EQ(text(ring.read(2)), "cdefghij");
  EXPECT_EQ(text(ring.read(1)), "gone");
}

TEST(Ring, MoreThanItHoldsLeavesTheTail) {
  Ring ring(4);
  ring.append(as_bytes("ab"));
  ring.append(as_bytes("cdefghi"));
  EXPECT_EQ(ring.end(), 9U);
  EXPECT_EQ(text(ring.read(ring.begin())), "fghi");
}

TEST(Ring, AReaderCanStopBeforeTheEnd) {
  Ring ring(8);
  ring.append(as_bytes("abcdefghij"));
  EXPECT_EQ(text(ring.read(3, 6)), "def");
  EXPECT_EQ(text(ring.read(6, 9)), "ghi") << "across the seam";
  EXPECT_EQ(text(ring.read(3, 3)), "");
  EXPECT_EQ(text(ring.read(5, 3)), "") << "what it may not have yet is nothing, not gone";
  EXPECT_EQ(text(ring.read(3, 99)), "defghij");
  EXPECT_EQ(text(ring.read(1, 5)), "gone");
}

TEST(Ring, ManyReadersReadTheSameStream) {
  std::mt19937 random(3);
  Ring ring(1000);
  std::string all;
  std::uint64_t at[3] = {0, 0, 0};
  std::string got[3];
  for (int round = 0; round < 2000; ++round) {
    const std::string part(1 + random() % 90, static_cast<char>('a' + round % 26));
    ring.append(as_bytes(part));
    all += part;
    for (unsigned reader = 0; reader < 3; ++reader) {
      if (random() % (reader + 1) == 0) {
        const auto pieces = ring.read(at[reader]);
        if (!pieces) {  // fell behind: goes on at the oldest octet, as a player that connects anew
          got[reader] = all.substr(0, static_cast<std::size_t>(ring.begin()));
          at[reader] = ring.begin();
          continue;
        }
        const auto more = text(pieces);
        got[reader] += more;
        at[reader] += more.size();
      }
    }
  }
  for (const auto& one : got) {
    EXPECT_EQ(one, all.substr(0, one.size()));
    EXPECT_GT(one.size(), all.size() - 1500);
  }
}

}  // namespace
}  // namespace hearthcast::playout
