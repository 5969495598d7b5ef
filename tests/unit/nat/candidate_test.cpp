#include "tunnelmgr/nat/candidate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hearthcast::nat {
namespace {

Candidate make(CandidateType type, const std::string& endpoint) { return {type, *Endpoint::parse(endpoint)}; }

TEST(Candidate,
     PrioritiesAreThoseOfTheRfc) {  // RFC 8445 section 5.1.2.1: 2^24 type, 2^8 local, 256 - component
  EXPECT_EQ(priority(CandidateType::kHost, Family::kIp6), (126U << 24) + (65535U << 8) + 255);
  EXPECT_EQ(priority(CandidateType::kHost, Family::kIp4), (126U << 24) + (65534U << 8) + 255);
  EXPECT_GT(priority(CandidateType::kHost, Family::kIp4),
            priority(CandidateType::kPeerReflexive, Family::kIp6));
  EXPECT_GT(priority(CandidateType::kPeerReflexive, Family::kIp4),
            priority(CandidateType::kServerReflexive, Family::kIp6));
  EXPECT_GT(priority(CandidateType::kServerReflexive, Family::kIp4),
            priority(CandidateType::kRelayed, Family::kIp6));
}

TEST(Candidate, WhatMayBeProbed) {
  const auto host = CandidateType::kHost, srflx = CandidateType::kServerReflexive;
  const std::vector<Candidate> good{make(host, "192.168.1.2:4755"),   make(host, "10.0.0.1:1"),
                                    make(host, "[2001:db8::1]:4755"), make(host, "[fd00::1]:4755"),
                                    make(srflx, "198.51.100.1:4755"), make(srflx, "192.168.1.1:4755")};
  EXPECT_EQ(acceptable(good), good);
}

TEST(Candidate, WhatMayNotBeProbed) {
  const auto host = CandidateType::kHost, srflx = CandidateType::kServerReflexive;
  for (const char* endpoint :
       {"127.0.0.1:22", "[::1]:22", "224.0.0.1:5", "[ff02::1]:5", "0.0.0.0:5", "[::]:5", "169.254.1.1:5",
        "[fe80::1]:5", "255.255.255.255:67", "198.51.100.1:0", "[100::]:16385"}) {
    EXPECT_TRUE(acceptable({make(host, endpoint), make(srflx, endpoint)}).empty()) << endpoint;
  }
  EXPECT_TRUE(acceptable({make(host, "198.51.100.1:53")}).empty());  // a victim, or seen by the rendezvous
  EXPECT_TRUE(acceptable({make(CandidateType::kPeerReflexive, "198.51.100.1:53")}).empty());
}

TEST(Candidate, AtMostEightOfAFamilyAndNoneTwice) {
  std::vector<Candidate> many;
  for (int i = 1; i <= 20; ++i) {
    many.push_back(make(CandidateType::kHost, "192.168.1." + std::to_string(i) + ":1"));
    many.push_back(make(CandidateType::kServerReflexive, "192.168.1." + std::to_string(i) + ":1"));
    many.push_back(make(CandidateType::kHost, "[2001:db8::" + std::to_string(i) + "]:1"));
  }
  const auto accepted = acceptable(many);
  EXPECT_EQ(accepted.size(), 16U);
  EXPECT_EQ(accepted.front(), many.front());
  EXPECT_TRUE(std::ranges::none_of(
      accepted, [](const Candidate& c) { return c.type == CandidateType::kServerReflexive; }));
}

}  // namespace
}  // namespace hearthcast::nat
