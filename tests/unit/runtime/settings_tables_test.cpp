// Lists, and tables that may come several times.
#include <gmock/gmock.h>

#include "tunnelmgr/runtime/settings.hpp"

namespace hearthcast::runtime {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Window {
  std::string side = "south";
  std::vector<std::string> panes;
};
struct Room {
  std::string name;
  int size = 12;
  std::vector<std::string> doors;
  std::vector<Window> windows;
};

struct House {
  House() {
    settings.text("name", name, "What it is called.");
    settings.number("garden.trees", trees, 0, 100, "How many.");
    settings.tables<Room>(
        "room", rooms, "One room.",
        [](Settings& row, Room& room) {
          row.text("name", room.name, "What it is called.");
          row.number("size", room.size, 1, 99, "Square metres.");
          row.texts("doors", room.doors, "Where they lead.");
          row.tables<Window>(
              "window", room.windows, "One window.",
              [](Settings& inner, Window& window) {
                inner.text("side", window.side, "Which way it looks.");
                inner.texts("panes", window.panes, "Of what.");
              },
              {}, Window{.side = "east", .panes = {"glass"}});
        },
        [](const Room& room) {
          return room.name.empty() ? std::string("a room needs a name") : std::string();
        },
        Room{.name = "hall", .size = 20, .doors = {"kitchen", "street"}, .windows = {}});
  }
  std::string problem(const std::string& toml) {
    const auto read = settings.read_text(toml, "house.toml");
    return read ? "" : read.error().text;
  }

  std::string name = "home";
  int trees = 1;
  std::vector<Room> rooms;
  Settings settings;
};

TEST(SettingsTables, ComeInTheFilesOrderWithDefaultsOfTheirOwn) {
  House h;
  ASSERT_EQ(h.problem(R"(
    name = "castle"
    [[room]]
    name = "hall"
    size = 40
    doors = ["kitchen"]
    [[room.window]]
    panes = ["glass", "paper"]
    [[room.window]]
    side = "north"
    [[room]]
    name = "cellar"
  )"),
            "");
  ASSERT_EQ(h.rooms.size(), 2u);
  EXPECT_EQ(h.rooms[0].name, "hall");
  EXPECT_EQ(h.rooms[0].size, 40);
  EXPECT_THAT(h.rooms[0].doors, ElementsAre("kitchen"));
  ASSERT_EQ(h.rooms[0].windows.size(), 2u);
  EXPECT_EQ(h.rooms[0].windows[0].side, "south");
  EXPECT_THAT(h.rooms[0].windows[0].panes, ElementsAre("glass", "paper"));
  EXPECT_EQ(h.rooms[0].windows[1].side, "north");
  EXPECT_EQ(h.rooms[1].size, 12);
  EXPECT_THAT(h.rooms[1].windows, IsEmpty());
}

TEST(SettingsTables, MayBeInlineTablesToo) {
  House h;
  ASSERT_EQ(h.problem("room = [{name = \"a\", window = [{side = \"west\"}]}, {name = \"b\"}]"), "");
  ASSERT_EQ(h.rooms.size(), 2u);
  EXPECT_EQ(h.rooms[0].windows.at(0).side, "west");
  ASSERT_EQ(h.problem("room = []"), "");
  EXPECT_THAT(h.rooms, IsEmpty());
}

TEST(SettingsTables, ReplaceWhatWasThereOnlyWhenTheyAreWritten) {
  House h;
  ASSERT_EQ(h.problem("[[room]]\nname = \"one\"\n"), "");
  ASSERT_EQ(h.problem("name = \"x\"\n"), "");
  EXPECT_EQ(h.rooms.size(), 1u);
  ASSERT_EQ(h.problem("[[room]]\nname = \"two\"\n"), "");
  ASSERT_EQ(h.rooms.size(), 1u);
  EXPECT_EQ(h.rooms[0].name, "two");
}

TEST(SettingsTables, ErrorsSayWhichTableAndWhichLine) {
  House h;
  EXPECT_EQ(h.problem("[[room]]\nname = \"a\"\n[[room]]\nname = \"b\"\nsize = 0\n"),
            "house.toml:5: room[2].size = 0 is not accepted; it takes a number from 1 to 99");
  EXPECT_EQ(h.problem("[[room]]\nname = \"a\"\nsise = 3\n"),
            "house.toml:3: unknown key room[1].sise; the keys of [[room]] are name, size, doors, [[window]]");
  EXPECT_EQ(
      h.problem("[[room]]\nname = \"a\"\n[[room.window]]\npanes = [1]\n"),
      "house.toml:4: room[1].window[1].panes = [ 1 ] is not accepted; it takes a list of texts in quotes, as "
      "[\"one\", \"two\"]");
  EXPECT_THAT(h.problem("[[room]]\nname = \"a\"\n[[room.window]]\nglass = 1\n"),
              HasSubstr("the keys of [[room.window]] are side, panes"));
  EXPECT_EQ(h.problem("[[room]]\nsize = 3\n"), "house.toml:1: room[1]: a room needs a name");
  EXPECT_EQ(h.problem("[room]\nname = \"a\"\n"),
            "house.toml:1: room may come several times, so it is written [[room]]");
  EXPECT_THAT(h.problem("room = [3]\n"), AllOf(HasSubstr("room[1] = 3"), HasSubstr("a table of keys")));
  EXPECT_THAT(h.problem("rooom = 1\n"), HasSubstr("the keys are name, garden.trees, [[room]]"));
  for (const char* wrong :
       {"doors = \"kitchen\"", "doors = [[\"kitchen\"]]", "doors = 3", "doors = [\"a\", 1]"}) {
    EXPECT_THAT(h.problem(std::string("[[room]]\nname = \"a\"\n") + wrong), HasSubstr("a list of texts"))
        << wrong;
  }
}

TEST(SettingsTables, NothingChangesWhenAnyOfThemIsWrong) {
  House h;
  ASSERT_EQ(h.problem("[[room]]\nname = \"one\"\n"), "");
  EXPECT_NE(h.problem("name = \"new\"\n[[room]]\nname = \"two\"\n[[room]]\nname = \"\"\n"), "");
  EXPECT_EQ(h.name, "home");
  ASSERT_EQ(h.rooms.size(), 1u);
  EXPECT_EQ(h.rooms[0].name, "one");
}

TEST(SettingsTables, TheSampleShowsAnExampleThatIsNotInForce) {
  House h;
  const std::string sample = h.settings.sample();
  EXPECT_THAT(sample, HasSubstr("#[[room]]\n## What it is called.\n#name = 'hall'\n"));
  EXPECT_THAT(sample, HasSubstr("#doors = ['kitchen', 'street']\n"));
  EXPECT_THAT(sample, HasSubstr("##[[room.window]]\n### Which way it looks.\n##side = 'east'\n"));
  House other;
  ASSERT_EQ(other.problem(sample), "");
  EXPECT_THAT(other.rooms, IsEmpty());
}

TEST(SettingsTables, TheExampleHoldsOnceItsCommentSignsAreTakenAway) {
  House h;
  std::string text = h.settings.sample();
  text.erase(0, text.find("#[[room]]"));
  for (int depth = 0; depth < 2; ++depth) {
    std::string less;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      const std::string line = text.substr(at, text.find('\n', at) - at);
      less += (line.starts_with('#') ? line.substr(1) : line) + "\n";
    }
    text = less;
    // One level is the room alone; prose of the window's comment still stands behind its own sign.
    if (depth == 0) {
      House one;
      ASSERT_EQ(one.problem(text), "") << text;
      ASSERT_EQ(one.rooms.size(), 1u);
      EXPECT_THAT(one.rooms[0].doors, ElementsAre("kitchen", "street"));
      EXPECT_THAT(one.rooms[0].windows, IsEmpty());
    }
  }
  EXPECT_THAT(text, HasSubstr("\n[[room.window]]\n"));
}

}  // namespace
}  // namespace hearthcast::runtime
