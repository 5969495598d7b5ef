#include "tunnelmgr/signalling/relay_policy.hpp"

#include <gtest/gtest.h>

namespace hearthcast::signalling {
namespace {

TEST(RelayPolicy, EachWordMeansOne) {
  EXPECT_EQ(parse_relay_policy("auto"), RelayPolicy::kAuto);
  EXPECT_EQ(parse_relay_policy("never"), RelayPolicy::kNever);
  EXPECT_EQ(parse_relay_policy("always"), RelayPolicy::kAlways);
  for (const auto policy : {RelayPolicy::kAuto, RelayPolicy::kNever, RelayPolicy::kAlways}) {
    EXPECT_EQ(parse_relay_policy(to_string(policy)), policy);
  }
}

TEST(RelayPolicy, NothingElseDoes) {
  for (const char* word : {"", "Auto", "never ", "alway", "alwayss", "yes"}) {
    EXPECT_FALSE(parse_relay_policy(word)) << word;
  }
}

}  // namespace
}  // namespace hearthcast::signalling
