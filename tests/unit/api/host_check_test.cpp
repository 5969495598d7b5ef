#include "appliance/api/host_check.hpp"

#include <gtest/gtest.h>

namespace hearthcast::api {
namespace {

const std::vector<std::string> kNames = {"tv.local", "box"};

TEST(HostCheck, AddressesAndTheBoxesNamesAreTheBox) {
  for (const char* host : {"192.0.2.1", "192.0.2.1:8871", "[2001:db8::1]", "[2001:db8::1]:8871", "[::1]:1",
                           "localhost", "LOCALHOST:8872", "tv.local", "TV.Local.:8871", "box"}) {
    EXPECT_TRUE(names_this_box(host, kNames)) << host;
  }
}

TEST(HostCheck, ForeignNamesAreNot) {
  for (const char* host :
       {"", "evil.example", "evil.example:8871", "tv.local.evil.example", "192.0.2.1.evil.example",
        "2130706433", "0x7f.1", "[evil]", "[::1", "localhost.evil.example", ".", ":8871"}) {
    EXPECT_FALSE(names_this_box(host, kNames)) << host;
  }
}

}  // namespace
}  // namespace hearthcast::api
