#include "tunnelmgr/playlist/m3u.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/playlist/utf8.hpp"

namespace hearthcast::playlist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ReadM3u, KeepsNamesAndAttributes) {
  const Playlist list = read_m3u(
      "#EXTM3U url-tvg=\"http://example.net/guide.xml\" x-shift=1\n"
      "#EXTINF:-1 tvg-id=\"one.example\" tvg-logo=\"http://example.net/1.png\" group-title=\"News, all day\" "
      "catchup-days=7,Channel One, HD\n"
      "#EXTVLCOPT:network-caching=1000\n"
      "udp://@239.1.1.1:5000\n");
  EXPECT_THAT(list.attributes,
              ElementsAre(Pair("url-tvg", "http://example.net/guide.xml"), Pair("x-shift", "1")));
  ASSERT_EQ(list.lines.size(), 1U);
  EXPECT_EQ(list.lines[0].number, 4U);
  ASSERT_TRUE(list.lines[0].entry);
  const Entry& entry = *list.lines[0].entry;
  EXPECT_EQ(entry.name, "Channel One, HD");
  EXPECT_THAT(entry.attributes,
              ElementsAre(Pair("catchup-days", "7"), Pair("group-title", "News, all day"),
                          Pair("tvg-id", "one.example"), Pair("tvg-logo", "http://example.net/1.png")));
}

TEST(ReadM3u, BadLinesNeverStopGoodOnes) {
  const Playlist list = read_m3u(
      "udp://@239.1.1.1:5000\n"
      "#EXTINF:-1,Broken\n"
      "udp://@nowhere:1\n"
      "\n"
      "  rtp://192.0.2.1@232.1.1.1:5000  \n");
  ASSERT_EQ(list.lines.size(), 3U);
  EXPECT_TRUE(list.lines[0].entry);
  EXPECT_EQ(list.lines[1].number, 3U);
  EXPECT_FALSE(list.lines[1].entry);
  EXPECT_EQ(list.lines[2].number, 5U);
  ASSERT_TRUE(list.lines[2].entry);
  EXPECT_EQ(list.lines[2].entry->name, "") << "the name before the bad line is not the next one's";
}

TEST(ReadM3u, TakesEveryLineEndingAndAByteOrderMark) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    std::string text = "\xEF\xBB\xBF#EXTM3U";
    for (const char* line :
         {"#EXTINF:0,A", "", "udp://@239.1.1.1:5000", "#EXTINF:0,B", "udp://@239.1.1.2:5000"}) {
      text.append(end).append(line);
    }
    const Playlist list = read_m3u(text);
    ASSERT_EQ(list.lines.size(), 2U);
    EXPECT_EQ(list.lines[0].number, 4U);
    EXPECT_EQ(list.lines[0].entry->name, "A");
    EXPECT_EQ(list.lines[1].entry->name, "B");
  }
}

TEST(ReadM3u, TakesGroupsOfDirectivesOfTheirOwn) {
  const Playlist list = read_m3u(
      "#EXTGRP:News\n#EXTINF:0,A\nudp://@239.1.1.1:5000\n"
      "#EXTINF:0 group-title=\"Sport\",B\n#EXTGRP:News\nudp://@239.1.1.2:5000\n"
      "#EXTINF:0,C\nudp://@239.1.1.3:5000\n");
  EXPECT_EQ(list.lines.at(0).entry->attributes.at("group-title"), "News");
  EXPECT_EQ(list.lines.at(1).entry->attributes.at("group-title"), "Sport");
  EXPECT_TRUE(list.lines.at(2).entry->attributes.empty());
}

TEST(ReadM3u, ReadsWhatItCanOfBrokenDirectives) {
  const auto name_of = [](const std::string& directive) {
    return read_m3u(directive + "\nudp://@239.1.1.1:5000").lines.at(0).entry->name;
  };
  EXPECT_EQ(name_of("#EXTINF:-1 tvg-name=\"never ends,Name"), "Name");
  EXPECT_EQ(name_of("#EXTINF:-1 no comma"), "");
  EXPECT_EQ(name_of("#EXTINF:"), "");
  EXPECT_EQ(name_of("#EXTINF:-1 =x a= \"b\" ==,Name"), "Name");
  EXPECT_EQ(name_of("#EXTINF:-1,"), "");
  EXPECT_EQ(name_of("# a comment"), "");
}

TEST(ReadM3u, MakesForeignTextCleanUtf8) {
  const Playlist list = read_m3u(
      "#EXTINF:0 group-title=\"Fran\xE7"
      "ais\",Cin\xE9ma\tUn\x01\nudp://@239.1.1.1:5000\n"
      "#EXTINF:0,Cin\xC3\xA9ma\nudp://@239.1.1.2:5000\n");
  EXPECT_EQ(list.lines.at(0).entry->name, "Cin\xC3\xA9ma Un");
  EXPECT_EQ(list.lines.at(0).entry->attributes.at("group-title"),
            "Fran\xC3\xA7"
            "ais");
  EXPECT_EQ(list.lines.at(1).entry->name, "Cin\xC3\xA9ma");
}

TEST(ReadM3u, SaysThatOtherFilesAreNoPlaylists) {
  const auto utf16 = read_m3u(std::string_view("\xFF\xFE#\0E\0", 6));
  ASSERT_EQ(utf16.lines.size(), 1U);
  EXPECT_THAT(utf16.lines[0].entry.error().text, HasSubstr("UTF-16"));
  const auto binary =
      read_m3u(std::string_view("\x7F"
                                "ELF\x02\x00\xFF",
                                7));
  ASSERT_EQ(binary.lines.size(), 1U);
  EXPECT_THAT(binary.lines[0].entry.error().text, HasSubstr("save the playlist as UTF-8"));
  EXPECT_TRUE(read_m3u("").lines.empty());
}

TEST(ReadM3u, BoundsLongLines) {
  const std::string million(1'000'000, 'x');
  const Playlist list = read_m3u("#EXTINF:0 tvg-id=\"1\"," + million + "\nudp://@239.1.1.1:5000\nudp://" +
                                 million + "\nudp://@239.1.1.2:5000\n");
  ASSERT_EQ(list.lines.size(), 3U);
  EXPECT_LE(list.lines[0].entry->name.size(), kMaxLine);
  EXPECT_EQ(list.lines[0].entry->attributes.at("tvg-id"), "1");
  EXPECT_THAT(list.lines[1].entry.error().text, HasSubstr("longer than"));
  EXPECT_TRUE(list.lines[2].entry);
}

TEST(ReadM3u, ReadsTenThousandChannels) {
  std::string text = "#EXTM3U\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "#EXTINF:-1 tvg-id=\"" + std::to_string(i) + "\",Channel " + std::to_string(i) +
            "\nudp://@239.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + ":5000\n";
  }
  const Playlist list = read_m3u(text);
  ASSERT_EQ(list.lines.size(), 10'000U);
  for (const Line& line : list.lines) {
    ASSERT_TRUE(line.entry) << line.number;
  }
  EXPECT_EQ(list.lines.back().entry->name, "Channel 9999");
}

TEST(WriteM3u, HasTheRightText) {
  EXPECT_EQ(
      write_m3u({{"http://127.0.0.1:8870/channel/1", "One, HD", {{"tvg-id", "one"}, {"group-title", "News"}}},
                 {"http://127.0.0.1:8870/channel/2", "Two"}}),
      "#EXTM3U\n"
      "#EXTINF:-1 group-title=\"News\" tvg-id=\"one\",One, HD\n"
      "http://127.0.0.1:8870/channel/1\n"
      "#EXTINF:-1,Two\n"
      "http://127.0.0.1:8870/channel/2\n");
  EXPECT_EQ(write_m3u({}), "#EXTM3U\n");
}

TEST(WriteM3u, NamesOfStrangersCannotAddLinesOrAttributes) {
  const std::string text = write_m3u({{"http://127.0.0.1/1",
                                       "One\nhttp://evil.example/\r#EXTINF:0,x",
                                       {{"tvg-id", "a\" tvg-logo=\"http://evil.example/x.png"},
                                        {"bad key", "x"},
                                        {"", "x"},
                                        {"tvg-name", "line\nbreak"}}}});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, testing::Not(HasSubstr("\r")));
  EXPECT_THAT(text, testing::Not(HasSubstr("tvg-logo=\"")));
  EXPECT_THAT(text, testing::Not(HasSubstr("bad key")));
  EXPECT_THAT(text, HasSubstr("tvg-name=\"line break\""));
}

TEST(Utf8, KnowsTheEdges) {
  for (const auto* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good));
  }
  for (const auto* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
  EXPECT_EQ(clean_text("  \xE9 \t"), "\xC3\xA9");
  EXPECT_EQ(clean_text(" \x01 "), "");
}

}  // namespace
}  // namespace hearthcast::playlist
