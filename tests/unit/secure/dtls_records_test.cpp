// Records of an established DtlsSession: sizes, replays, forgeries, the end, threads.
#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/secure/dtls_world.hpp"

namespace hearthcast::secure {
namespace {

class DtlsRecords : public testing::Test {
 protected:
  DtlsRecords() { world_.handshake(); }

  Buffer seal(DtlsSession& from, Bytes plaintext) {
    Buffer record(plaintext.size() + kDtlsMaxOverhead);
    record.resize(from.seal(plaintext, record));
    return record;
  }
  Result<std::size_t, OpenError> open(DtlsSession& at, Bytes record) { return at.open(record, room_); }
  std::string_view text(std::size_t size) const { return as_text(Bytes(room_).first(size)); }

  DtlsWorld world_;
  Buffer room_ = Buffer(2048);
};

TEST_F(DtlsRecords, TravelBothWays) {
  ASSERT_TRUE(world_.both_established());
  for (const auto& [from, to] :
       {std::pair{&world_.client, &world_.server}, {&world_.server, &world_.client}}) {
    for (const std::string& message : {std::string("a"), std::string("hello"), std::string(1400, 'x')}) {
      const auto size = open(*to, seal(*from, as_bytes(message)));
      ASSERT_TRUE(size);
      EXPECT_EQ(text(*size), message);
    }
  }
}

TEST_F(DtlsRecords, GrowByTheOverheadOfTheCipher) {
  const bool chacha = world_.client.cipher().find("CHACHA20") != std::string::npos;
  EXPECT_EQ(world_.client.overhead(), chacha ? 29U : 37U);
  for (const std::size_t size : {1U, 16U, 1356U, 1400U}) {
    EXPECT_EQ(seal(world_.client, Buffer(size)).size(), size + world_.client.overhead());
  }
}

TEST_F(DtlsRecords, GoStraightIntoASlabOneBehindTheOther) {
  Buffer slab(3 * 137 + 10, 0xee);
  const Buffer plaintext(100, 7);
  const std::size_t stride = 100 + world_.server.overhead();
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(world_.server.seal(plaintext, MutableBytes(slab).subspan(i * stride)), stride);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto size = open(world_.client, Bytes(slab).subspan(i * stride, stride));
    ASSERT_TRUE(size);
    EXPECT_TRUE(equal(Bytes(room_).first(*size), plaintext));
  }
  EXPECT_EQ(slab.back(), 0xee);
}

TEST_F(DtlsRecords, ReplayIsRejectedAndLateOnesInsideTheWindowAreNot) {
  std::vector<Buffer> records;
  records.reserve(100);
  for (int i = 0; i < 100; ++i) {
    records.push_back(seal(world_.client, as_bytes("x")));
  }
  EXPECT_TRUE(open(world_.server, records[99]));
  EXPECT_EQ(open(world_.server, records[99]).error(), OpenError::kRejected);
  EXPECT_TRUE(open(world_.server, records[60]));
  EXPECT_EQ(open(world_.server, records[60]).error(), OpenError::kRejected);
  EXPECT_EQ(open(world_.server, records[10]).error(), OpenError::kRejected);  // older than 64 records
  EXPECT_EQ(world_.server.state(), DtlsState::kEstablished);
}

// How much reordering a tunnel survives: docs/decisions/013-hold-only-behind-a-gap.md.
TEST_F(DtlsRecords, TheReplayWindowIsSixtyFourRecords) {
  for (const std::size_t overtaken_by : {1U, 20U, 63U, 64U, 65U, 200U}) {
    const Buffer late = seal(world_.client, as_bytes("late"));
    for (std::size_t n = 0; n < overtaken_by; ++n) {
      ASSERT_TRUE(open(world_.server, seal(world_.client, as_bytes("x"))));
    }
    EXPECT_EQ(static_cast<bool>(open(world_.server, late)), overtaken_by < 64) << overtaken_by;
  }
}

TEST_F(DtlsRecords, EveryFlippedBitAndEveryPrefixIsRejected) {
  const Buffer record = seal(world_.client, as_bytes("attack at dawn"));
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    Buffer forged = record;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(open(world_.server, forged)) << bit;
  }
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(open(world_.server, Bytes(record).first(size))) << size;
  }
  ASSERT_EQ(world_.server.state(), DtlsState::kEstablished) << world_.server.reason();
  EXPECT_TRUE(open(world_.server, record));
}

// OpenSSL 3.0.19 opens nothing any more after one of these.
TEST_F(DtlsRecords, OneTooShortToBeSealedIsRejectedAndHarmsNothing) {
  for (std::uint8_t size = 0; size < 40; ++size) {
    for (const std::uint8_t type : {std::uint8_t{21}, std::uint8_t{23}}) {
      Buffer stunted = {type, 0xfe, 0xfd, 0, 1, 0x8d, 0x88, 0xf3, 0, 0, 0, 0, size};
      stunted.resize(stunted.size() + size, 7);
      EXPECT_EQ(open(world_.server, stunted).error(), OpenError::kRejected) << int{size};
      EXPECT_TRUE(open(world_.server, seal(world_.client, as_bytes("x")))) << int{size};
    }
  }
}

TEST_F(DtlsRecords, NoiseOfEveryTypeIsRejected) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    Buffer noise(13 + random() % 80);
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<std::uint8_t>(random()); });
    noise[0] = static_cast<std::uint8_t>(20 + random() % 4);
    noise[1] = 0xfe;
    noise[2] = 0xfd;
    noise[3] = 0;
    noise[4] = static_cast<std::uint8_t>(random() % 3);  // epochs before, of, and after the session
    noise[11] = 0;
    noise[12] = static_cast<std::uint8_t>(noise.size() - 13);
    EXPECT_FALSE(open(world_.server, noise));
    static_cast<void>(world_.server.on_datagram(noise, world_.now));
  }
  ASSERT_EQ(world_.server.state(), DtlsState::kEstablished) << world_.server.reason();
  EXPECT_TRUE(open(world_.server, seal(world_.client, as_bytes("still here"))));
}

TEST_F(DtlsRecords, TwoRecordsInADatagramOrTooLittleRoomAreRefusedWithoutASplit) {
  Buffer two = seal(world_.client, as_bytes("one"));
  const Buffer second = seal(world_.client, as_bytes("two"));
  two.insert(two.end(), second.begin(), second.end());
  EXPECT_EQ(open(world_.server, two).error(), OpenError::kRejected);
  Buffer little(2);
  EXPECT_EQ(world_.server.open(seal(world_.client, as_bytes("longer")), little).error(),
            OpenError::kTooSmall);
  const auto next = open(world_.server, seal(world_.client, as_bytes("next")));
  ASSERT_TRUE(next);
  EXPECT_EQ(text(*next), "next");
}

TEST_F(DtlsRecords, WhatCannotBeSealedIsZero) {
  Buffer out(20000);
  EXPECT_EQ(world_.client.seal({}, out), 0U);
  EXPECT_EQ(world_.client.seal(Buffer(kDtlsMaxPlaintext + 1), out), 0U);
  EXPECT_EQ(world_.client.seal(Buffer(kDtlsMaxPlaintext), out), kDtlsMaxPlaintext + world_.client.overhead());
  EXPECT_EQ(world_.client.seal(Buffer(100), MutableBytes(out).first(136)), 0U);
  DtlsWorld fresh;
  EXPECT_EQ(fresh.client.seal(Buffer(1), out), 0U);
  EXPECT_EQ(fresh.client.open(Buffer(50), out).error(), OpenError::kRejected);
  EXPECT_EQ(fresh.client.close(out), 0U);
}

TEST_F(DtlsRecords, CloseIsToldToThePeerOnce) {
  Buffer alert(100);
  alert.resize(world_.client.close(alert));
  ASSERT_FALSE(alert.empty());
  EXPECT_EQ(world_.client.state(), DtlsState::kClosed);
  EXPECT_EQ(open(world_.server, alert).error(), OpenError::kEnded);
  EXPECT_EQ(world_.server.state(), DtlsState::kClosed);
  EXPECT_THAT(world_.server.reason(), testing::HasSubstr("closed"));
  EXPECT_EQ(world_.server.seal(as_bytes("x"), alert), 0U);
  EXPECT_EQ(open(world_.server, alert).error(), OpenError::kRejected);
}

TEST_F(DtlsRecords, ForgedAlertEndsNothing) {
  for (const std::uint8_t epoch : {std::uint8_t{0}, std::uint8_t{1}}) {
    const Buffer alert = {21, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 99, 0, 2, 2, 0};  // fatal, in the clear
    EXPECT_EQ(open(world_.server, alert).error(), OpenError::kRejected);
  }
  EXPECT_EQ(world_.server.state(), DtlsState::kEstablished);
}

// Handshake on one thread, media on another: the session is moved, never shared.
TEST_F(DtlsRecords, SessionMovesBetweenThreads) {
  DtlsSession session = std::move(world_.client);
  std::unique_ptr<DtlsSession> returned;
  std::vector<Buffer> records;
  records.reserve(50);
  std::thread([&, mine = std::move(session)]() mutable {
    for (int i = 0; i < 50; ++i) {
      records.push_back(seal(mine, as_bytes("from the data thread")));
    }
    returned = std::make_unique<DtlsSession>(std::move(mine));
  }).join();
  for (const Buffer& record : records) {
    EXPECT_TRUE(open(world_.server, record));
  }
  ASSERT_TRUE(returned);
  EXPECT_TRUE(open(world_.server, seal(*returned, as_bytes("back again"))));
}

// One context serves handshakes on the control thread while the data thread uses other sessions made of it.
TEST_F(DtlsRecords, SessionsOfOneContextRunOnTwoThreads) {
  const OpenSslIdentity home = make_identity();
  const OpenSslIdentity away = make_identity();
  const DtlsContext home_context = DtlsContext::make(home).value();
  const DtlsContext away_context = DtlsContext::make(away).value();
  const auto handshakes = [&] {
    for (int i = 0; i < 10; ++i) {
      DtlsSession client(away_context, DtlsRole::kClient, home.id());
      DtlsSession server(home_context, DtlsRole::kServer, away.id());
      static_cast<void>(server.start(Time{}));
      const auto hello = server.on_datagram(client.start(Time{}).at(0), Time{});
      const auto keys = client.on_datagram(hello.at(0), Time{});
      const auto finished = server.on_datagram(keys.at(0), Time{});
      static_cast<void>(client.on_datagram(finished.at(0), Time{}));
      EXPECT_EQ(client.state(), DtlsState::kEstablished);
      Buffer room(64);
      EXPECT_TRUE(server.open(seal(client, as_bytes("x")), room));
    }
  };
  std::thread other(handshakes);
  handshakes();
  other.join();
}

}  // namespace
}  // namespace hearthcast::secure
