#include "tunnelmgr/http/exposition.hpp"

#include <gtest/gtest.h>

namespace hearthcast::http {
namespace {

TEST(Exposition, WritesHelpTypeAndSamples) {
  Exposition out;
  out.gauge("box_up", "Whether it is up.");
  out.sample({}, 1);
  out.counter("box_drops_total", "By reason.");
  out.sample({{"reason", "stray"}, {"family", "ipv6"}}, 18446744073709551615ULL);
  EXPECT_EQ(out.text(),
            "# HELP box_up Whether it is up.\n# TYPE box_up gauge\nbox_up 1\n"
            "# HELP box_drops_total By reason.\n# TYPE box_drops_total counter\n"
            "box_drops_total{reason=\"stray\",family=\"ipv6\"} 18446744073709551615\n");
}

TEST(Exposition, LabelsOfStrangersCannotForgeALine) {
  Exposition out;
  out.gauge("x", "y");
  out.sample({{"name", "a\"} 1\nfake 2\\"}}, 3);
  EXPECT_EQ(out.text(), "# HELP x y\n# TYPE x gauge\nx{name=\"a\\\"} 1\\nfake 2\\\\\"} 3\n");
}

}  // namespace
}  // namespace hearthcast::http
