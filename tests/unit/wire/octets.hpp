// Octet strings for tests, written as hexadecimal digits; spaces are for the eye.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/text.hpp"

namespace hearthcast::wire {

inline Buffer hex(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  const auto octets = from_hex(text);
  if (!octets) {
    ADD_FAILURE() << "not hexadecimal: " << text;
    return {};
  }
  return *octets;
}

inline IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress());
}

// Every proper prefix of a valid message is refused, and none is read beyond its end: each is copied into
// memory of its own size, where AddressSanitizer watches.
template <class Decode>
void expect_no_prefix_decodes(const Buffer& whole, Decode decode, std::size_t from = 0) {
  for (std::size_t size = from; size < whole.size(); ++size) {
    const Buffer prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode(Bytes(prefix))) << "prefix of " << size << " octets";
  }
  EXPECT_TRUE(decode(Bytes(whole)));
}

}  // namespace hearthcast::wire
