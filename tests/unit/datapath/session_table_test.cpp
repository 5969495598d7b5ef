#include "tunnelmgr/datapath/session_table.hpp"

#include <gtest/gtest.h>

namespace hearthcast::datapath {
namespace {

Endpoint at(int port) { return {*IpAddress::parse("192.0.2.1"), static_cast<std::uint16_t>(port)}; }
AddSession session(int peer, int port) { return {PeerId{peer}, at(port), nullptr}; }

TEST(SessionTable, FindsByEndpointAndById) {
  SessionTable table;
  table.add(session(1, 10));
  table.add(session(2, 20));
  ASSERT_NE(table.find(at(10)), nullptr);
  EXPECT_EQ(table.find(at(10))->id, PeerId{1});
  EXPECT_EQ(table.find(PeerId{2})->endpoint, at(20));
  EXPECT_EQ(table.find(at(30)), nullptr);
  EXPECT_EQ(table.find(PeerId{3}), nullptr);
}

TEST(SessionTable, AMovedPeerIsStillHeardAtItsFormerEndpoints) {
  SessionTable table;
  table.add(session(1, 10));
  for (int port = 11; port <= 14; ++port) {
    table.move({PeerId{1}, at(port)});
  }
  EXPECT_EQ(table.find(PeerId{1})->endpoint, at(14));
  EXPECT_EQ(table.find(at(10)), nullptr) << "the fifth is forgotten";
  for (int port = 11; port <= 14; ++port) {
    EXPECT_NE(table.find(at(port)), nullptr) << port;
  }
  table.move({PeerId{1}, at(12)});  // back again
  EXPECT_EQ(table.find(PeerId{1})->endpoint, at(12));
  EXPECT_EQ(table.find(PeerId{1})->accepted.size(), 4U);
}

TEST(SessionTable, TheLastClaimToAnEndpointHolds) {
  SessionTable table;
  table.add(session(1, 10));
  table.move({PeerId{1}, at(11)});
  table.add(session(2, 11));  // a client that restarted: same endpoint, new session
  EXPECT_EQ(table.find(at(11))->id, PeerId{2});
  EXPECT_EQ(table.find(at(10))->id, PeerId{1});
  EXPECT_TRUE(table.remove(PeerId{1}));
  EXPECT_EQ(table.find(at(11))->id, PeerId{2}) << "what the other claimed stays its own";
  EXPECT_EQ(table.find(at(10)), nullptr);
}

TEST(SessionTable, APeerIsHeardWhereItWillBeMovedTo) {
  SessionTable table;
  table.add(session(1, 10));
  table.hear({PeerId{1}, at(11)});
  EXPECT_EQ(table.find(at(11))->id, PeerId{1});
  EXPECT_EQ(table.find(PeerId{1})->endpoint, at(10)) << "it is not sent to there yet";
  table.move({PeerId{1}, at(11)});
  EXPECT_EQ(table.find(PeerId{1})->endpoint, at(11));
  EXPECT_EQ(table.find(at(10))->id, PeerId{1}) << "the old path is heard until it is quiet";
  EXPECT_EQ(table.find(PeerId{1})->accepted.size(), 2U);
}

TEST(SessionTable, WhereItIsSentToIsHeardWhateverElseIs) {
  SessionTable table;
  table.add(session(1, 10));
  for (int port = 11; port <= 20; ++port) {
    table.hear({PeerId{1}, at(port)});
    table.hear({PeerId{1}, at(10)});  // it is there
  }
  EXPECT_EQ(table.find(at(10))->id, PeerId{1});
  EXPECT_EQ(table.find(at(17)), nullptr);
  for (int port = 18; port <= 20; ++port) {
    EXPECT_NE(table.find(at(port)), nullptr) << port;
  }
}

TEST(SessionTable, APeerWhoseOnlyEndpointAnotherTookIsHeardElsewhere) {
  SessionTable table;
  table.add(session(1, 10));
  table.add(session(2, 10));
  table.hear({PeerId{1}, at(11)});  // its own only endpoint is the other's now
  table.hear({PeerId{1}, at(11)});
  EXPECT_EQ(table.find(at(11))->id, PeerId{1});
  EXPECT_EQ(table.find(at(10))->id, PeerId{2});
}

TEST(SessionTable, UnknownPeersAreIgnored) {
  SessionTable table;
  table.hear({PeerId{9}, at(1)});
  table.move({PeerId{9}, at(1)});
  EXPECT_EQ(table.remove(PeerId{9}), nullptr);
  EXPECT_EQ(table.find(at(1)), nullptr);
}

}  // namespace
}  // namespace hearthcast::datapath
