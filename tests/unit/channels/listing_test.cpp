#include "appliance/channels/listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::channels {
namespace {

using testing::HasSubstr;

Listing listing(const char* source, const char* group, std::uint16_t port, std::string name = "One") {
  Listing l;
  if (*source != '\0') {
    l.flow.source = IpAddress::parse(source).value();
  }
  l.flow.group = IpAddress::parse(group).value();
  l.flow.port = port;
  l.name = std::move(name);
  return l;
}

std::string refusal(const Listing& l) {
  const auto checked = check_listing(l);
  return checked ? "" : checked.error().text;
}

TEST(CheckListing, TakesBothFamiliesWithAndWithoutSource) {
  EXPECT_EQ(refusal(listing("", "239.1.2.3", 5000)), "");
  EXPECT_EQ(refusal(listing("192.0.2.7", "232.1.2.3", 5000)), "");
  EXPECT_EQ(refusal(listing("2001:db8::7", "ff3e::8000:1", 5000)), "");
  EXPECT_EQ(refusal(listing("", "ff05::1", 1)), "");
}

TEST(CheckListing, RefusesWhatCannotBeCarried) {
  EXPECT_THAT(refusal(listing("", "192.0.2.1", 5000)), HasSubstr("not a multicast address"));
  EXPECT_THAT(refusal(listing("", "224.0.0.22", 5000)), HasSubstr("never leaves its own link"));
  EXPECT_THAT(refusal(listing("", "ff02::16", 5000)), HasSubstr("never leaves its own link"));
  EXPECT_THAT(refusal(listing("", "ff01::1", 5000)), HasSubstr("never leaves its own link"));
  EXPECT_THAT(refusal(listing("", "239.1.2.3", 0)), HasSubstr("port is missing"));
  EXPECT_THAT(refusal(listing("2001:db8::7", "239.1.2.3", 5000)), HasSubstr("different IP versions"));
  EXPECT_THAT(refusal(listing("239.9.9.9", "239.1.2.3", 5000)), HasSubstr("cannot be a source"));
  EXPECT_THAT(refusal(listing("::", "ff3e::1", 5000)), HasSubstr("cannot be a source"));
  EXPECT_THAT(refusal(listing("127.0.0.1", "239.1.2.3", 5000)), HasSubstr("cannot be a source"));
}

TEST(CheckListing, NamesANamelessChannelByItsAddress) {
  EXPECT_EQ(check_listing(listing("192.0.2.7", "232.1.2.3", 5000, " \t"))->name, "192.0.2.7@232.1.2.3:5000");
}

TEST(CheckListing, BoundsAttributes) {
  Listing l = listing("", "239.1.2.3", 5000);
  for (int i = 0; i < 100; ++i) {
    l.attributes["key" + std::to_string(i)] = std::string(5000, 'x');
  }
  l.attributes["\n"] = "a key of nothing";
  const auto checked = check_listing(l);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->attributes.size(), kMaxAttributes);
  EXPECT_EQ(checked->attributes.begin()->second.size(), kMaxAttributeCharacters);
}

}  // namespace
}  // namespace hearthcast::channels
