// A receiver of one flow in tests, and what it hands on.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

#include "tunnelmgr/tunnel/repair_receiver.hpp"

namespace hearthcast::tunnel {

using Numbers = std::vector<std::uint32_t>;

// One receiver; payloads are their own numbers, so that what is handed on can be told.
struct RepairReceiverTest : testing::Test, RepairReceiver::Sink {
  RepairReceiverTest() { receiver.set_repair(true); }
  void release(Bytes payload) override { out.push_back(Reader(payload).u32()); }

  Arrival come(std::uint32_t sequence, std::size_t size = 100) {
    Buffer payload;
    Writer(payload).u32(sequence);
    payload.resize(size, 0x55);
    return receiver.on_packet(sequence, payload, now, *this);
  }
  // Each a packet's interval after the one before.
  void run(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t n = 0; n < count; ++n) {
      now += std::chrono::microseconds{1300};
      (void)come(first + n);
      receiver.on_deadline(now, *this);
    }
  }
  Numbers asks() {
    Numbers all;
    while (const auto nack = receiver.next_nack(now)) {
      EXPECT_EQ(nack->flow(), 7U);
      for (const auto& range : nack->ranges()) {
        for (std::uint32_t n = 0; n < range.count; ++n) {
          all.push_back(range.first + n);
        }
      }
    }
    return all;
  }
  Numbers taken() { return std::exchange(out, {}); }
  void wait(Duration duration) {
    now += duration;
    receiver.on_deadline(now, *this);
  }

  RepairReceiver receiver{7};
  Time now{std::chrono::hours{1}};
  Numbers out;
};

}  // namespace hearthcast::tunnel
