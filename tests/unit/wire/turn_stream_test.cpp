#include "tunnelmgr/wire/turn_stream.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::wire {
namespace {

const Buffer kStun = hex("0115 0008 2112a442 000102030405060708090a0b 8022 0004 61626364");
const Buffer kEmptyStun = hex("0011 0000 2112a442 000102030405060708090a0b");
const Buffer kData = hex("40010003 616263");
const Buffer kPadding = hex("00");

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const auto& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<Buffer> all_of(TurnStreamReader& reader) {
  std::vector<Buffer> messages;
  while (const auto message = reader.next()) {
    messages.emplace_back(message->begin(), message->end());
  }
  return messages;
}

TEST(TurnStream, MessagesComeOutOneByOneWithoutPadding) {
  TurnStreamReader reader;
  reader.put(joined({kStun, kData, kPadding, kEmptyStun}));
  EXPECT_EQ(all_of(reader), (std::vector<Buffer>{kStun, kData, kEmptyStun}));
  EXPECT_FALSE(reader.broken());
}

TEST(TurnStream, EverySplitGivesTheSameMessages) {
  const Buffer stream = joined({kData, kPadding, kStun, kData, kPadding, kEmptyStun, kData, kPadding});
  const std::vector<Buffer> expected{kData, kStun, kData, kEmptyStun, kData};
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      TurnStreamReader reader;
      std::vector<Buffer> seen;
      for (const Bytes piece : {Bytes(stream).first(first), Bytes(stream).subspan(first, second - first),
                                Bytes(stream).subspan(second)}) {
        reader.put(piece);
        for (auto& message : all_of(reader)) {
          seen.push_back(std::move(message));
        }
      }
      ASSERT_EQ(seen, expected) << first << ", " << second;
    }
  }
}

TEST(TurnStream, NoPrefixOfAMessageIsOne) {
  for (const Buffer& whole : {kStun, kEmptyStun, joined({kData, kPadding})}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      TurnStreamReader reader;
      reader.put(Bytes(whole).first(size));
      EXPECT_FALSE(reader.next()) << size;
      EXPECT_FALSE(reader.broken()) << size;
    }
  }
}

TEST(TurnStream, TheLargestMessagesPass) {
  const Buffer data = encode_channel_data(kLastChannel, Buffer(0xFFFF, 7));
  TurnStreamReader reader;
  reader.put(data);
  EXPECT_FALSE(reader.next()) << "its padding is still to come";
  reader.put(Buffer(turn_padding(data.size())));
  const auto message = reader.next();
  ASSERT_TRUE(message);
  EXPECT_TRUE(equal(*message, data));
}

TEST(TurnStream, WhatIsNeitherEndsIt) {
  for (const auto* octets : {"50000000", "7fff0004", "80000000", "ffff0000", "00010003"}) {
    TurnStreamReader reader;
    reader.put(hex(octets));
    EXPECT_FALSE(reader.next()) << octets;
    EXPECT_TRUE(reader.broken()) << octets;
    reader.put(kStun);
    EXPECT_FALSE(reader.next()) << "nothing is read after that: " << octets;
  }
}

TEST(TurnStream, WhatCameBeforeTheNonsenseIsStillRead) {
  TurnStreamReader reader;
  reader.put(joined({kStun, hex("ffffffff")}));
  EXPECT_EQ(all_of(reader), std::vector<Buffer>{kStun});
  EXPECT_TRUE(reader.broken());
}

TEST(TurnStream, PaddingFillsToFour) {
  EXPECT_EQ(turn_padding(4), 0U);
  EXPECT_EQ(turn_padding(5), 3U);
  EXPECT_EQ(turn_padding(6), 2U);
  EXPECT_EQ(turn_padding(7), 1U);
}

}  // namespace
}  // namespace hearthcast::wire
