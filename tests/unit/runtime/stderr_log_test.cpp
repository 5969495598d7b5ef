#include "tunnelmgr/runtime/stderr_log.hpp"

#include <gmock/gmock.h>

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
