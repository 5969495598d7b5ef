#include "appliance/channels/label.hpp"

#include <gtest/gtest.h>

namespace hearthcast::channels {
namespace {

TEST(CleanLabel, KeepsOrdinaryNamesOfAllScripts) {
  EXPECT_EQ(clean_label("Das Erste HD", 64), "Das Erste HD");
  EXPECT_EQ(clean_label("Первый канал", 64), "Первый канал");
  EXPECT_EQ(clean_label("\xf0\x9f\x93\xba TV", 64), "\xf0\x9f\x93\xba TV");
}

TEST(CleanLabel, LeavesMarkupToWhoeverShowsIt) {
  EXPECT_EQ(clean_label("<script>alert(1)</script>", 64), "<script>alert(1)</script>");
}

TEST(CleanLabel, TurnsControlsAndRunsOfSpacesIntoOneSpace) {
  EXPECT_EQ(clean_label("  a\t\r\n b\x7f"
                        "c  ",
                        64),
            "a b c");
  EXPECT_EQ(clean_label("a\xe2\x80\xae"
                        "cba",
                        64),
            "a cba");  // right-to-left override
  EXPECT_EQ(clean_label(" \n ", 64), "");
}

TEST(CleanLabel, ReplacesIllFormedOctetsOneByOne) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(clean_label("a\xff"
                        "b",
                        64),
            "a" + r + "b");
  EXPECT_EQ(clean_label("\xc0\xaf", 64), r + r);                  // overlong
  EXPECT_EQ(clean_label("\xed\xa0\x80", 64), r + r + r);          // surrogate
  EXPECT_EQ(clean_label("\xf4\x90\x80\x80", 64), r + r + r + r);  // above U+10FFFF
  EXPECT_EQ(clean_label("x\xe2\x82", 64), "x" + r + r);           // cut short
}

TEST(CleanLabel, CountsCharactersNotOctets) {
  EXPECT_EQ(clean_label("ääää", 3), "äää");
  EXPECT_EQ(clean_label("ab cd", 3), "ab");  // no space at the end
  EXPECT_EQ(clean_label("ab cd", 4), "ab c");
}

}  // namespace
}  // namespace hearthcast::channels
