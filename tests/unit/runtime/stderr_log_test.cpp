#include "tunnelmgr/runtime/stderr_log.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace hearthcast::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(FormatEvent, QuotesWhatIsNotPlain) {
  EXPECT_EQ(format_event("started", {}), "started");
  EXPECT_EQ(format_event("joined", {{"group", "[ff3e::1]:5000"}, {"channel", "3"}}),
            "joined group=[ff3e::1]:5000 channel=3");
  EXPECT_EQ(format_event("e", {{"name", "Das Erste"}, {"none", ""}, {"path", "a\\b"}, {"equation", "a=b"}}),
            R"(e name="Das Erste" none="" path="a\\b" equation="a=b")");
  EXPECT_EQ(format_event("e", {{"name", "Zürich"}}), "e name=\"Zürich\"");
}

TEST(FormatEvent, ValueCannotForgeALine) {
  EXPECT_EQ(format_event("e", {{"name", "x\nforged event=1\r\t\"\x01\x7f"}}),
            R"(e name="x\nforged event=1\r\t\"\x01\x7f")");
}

TEST(FormatTime, EverySecondHasItsDateTheFirstToo) {
  const auto at = [](std::int64_t milliseconds) {
    return format_time(std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds)));
  };
  EXPECT_EQ(at(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(at(999), "1970-01-01T00:00:00.999Z");
  EXPECT_EQ(at(1000), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(at(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(at(951'782'399'123), "2000-02-28T23:59:59.123Z");
  EXPECT_EQ(at(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(at(4'102'444'799'999), "2099-12-31T23:59:59.999Z");
}

TEST(StderrLog, WritesOneLinePerEventFromItsLevelOn) {
  testing::internal::CaptureStderr();
  StderrLog log(Level::kInfo);
  log.debug("hidden");
  log.info("shown", {{"key", "value"}});
  log.error("failed");
  log.set_minimum(Level::kDebug);
  log.debug("now_shown", {{"format", "{}"}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, Not(HasSubstr("hidden")));
  EXPECT_THAT(text, HasSubstr("Z info shown key=value\n"));
  EXPECT_THAT(text, HasSubstr(" error failed\n"));
  EXPECT_THAT(text, HasSubstr(" debug now_shown format={}\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text,
              testing::ContainsRegex("^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}[.][0-9]{3}Z info shown"));
}

TEST(StderrLog, TellsTheJournalHowGraveALineIs) {
  testing::internal::CaptureStderr();  // into a file
  struct stat file {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &file), 0);
  const std::string its = std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
  ::setenv("JOURNAL_STREAM", its.c_str(), 1);
  StderrLog log(Level::kDebug);
  ::unsetenv("JOURNAL_STREAM");
  log.debug("d");
  log.info("i");
  log.warning("w");
  log.error("e");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text,
              testing::ContainsRegex("^<7>2.* debug d\n<6>2.* info i\n<4>2.* warning w\n<3>2.* error e\n$"));
}

TEST(IsJournal, OnlyWhatTheVariableNames) {
  struct stat file {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &file), 0);
  EXPECT_FALSE(is_journal(STDERR_FILENO, nullptr));
  EXPECT_FALSE(is_journal(STDERR_FILENO, ""));
  EXPECT_FALSE(is_journal(STDERR_FILENO, std::to_string(file.st_dev).c_str()));
  EXPECT_FALSE(is_journal(-1, "0:0"));
}

TEST(ParseLevel, KnowsFourNames) {
  EXPECT_EQ(parse_level("debug"), Level::kDebug);
  EXPECT_EQ(parse_level("info"), Level::kInfo);
  EXPECT_EQ(parse_level("warning"), Level::kWarning);
  EXPECT_EQ(parse_level("error"), Level::kError);
  EXPECT_EQ(parse_level("Info"), std::nullopt);
  EXPECT_EQ(parse_level(""), std::nullopt);
}

}  // namespace
}  // namespace hearthcast::runtime
