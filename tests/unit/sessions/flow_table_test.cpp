#include "appliance/sessions/flow_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::sessions {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::VariantWith;

FlowKey flow(int n) { return {std::nullopt, IpAddress::ip4(0xef000000U + static_cast<unsigned>(n)), 1234}; }
constexpr PeerId kAnna{1}, kBert{2};

TEST(FlowTable, FirstViewerStartsAndLastStops) {
  FlowTable table;
  EXPECT_THAT(table.watch(kAnna, {flow(1)}),
              ElementsAre(VariantWith<StartFlow>(_), VariantWith<ViewersChanged>(_)));
  EXPECT_THAT(table.watch(kBert, {flow(1)}), ElementsAre(VariantWith<ViewersChanged>(_)));
  EXPECT_THAT(table.watch(kAnna, {}), ElementsAre(VariantWith<ViewersChanged>(_)));
  EXPECT_THAT(table.watch(kBert, {}), ElementsAre(VariantWith<ViewersChanged>(_), VariantWith<StopFlow>(_)));
  EXPECT_TRUE(table.flows().empty());
}

TEST(FlowTable, ZappingStartsBeforeItStops) {
  FlowTable table;
  (void)table.watch(kAnna, {flow(1)});
  const auto actions = table.watch(kAnna, {flow(2)});
  ASSERT_THAT(actions, ElementsAre(VariantWith<StartFlow>(_), VariantWith<ViewersChanged>(_),
                                   VariantWith<StopFlow>(_)));
  EXPECT_EQ(std::get<StartFlow>(actions[0]).key, flow(2));
  EXPECT_FALSE(table.watches(kAnna, flow(1)));
  EXPECT_TRUE(table.watches(kAnna, flow(2)));
}

TEST(FlowTable, NothingChangesNothingHappens) {
  FlowTable table;
  EXPECT_THAT(table.watch(kAnna, {}), IsEmpty());
  (void)table.watch(kAnna, {flow(1), flow(2)});
  EXPECT_THAT(table.watch(kAnna, {flow(2), flow(1)}), IsEmpty());
}

TEST(FlowTable, FlowIdsAreNeverReused) {
  FlowTable table;
  std::set<FlowId> seen;
  for (int i = 0; i < 100; ++i) {
    const auto started = table.watch(kAnna, {flow(1)});
    const FlowId id = std::get<StartFlow>(started.at(0)).flow;
    EXPECT_TRUE(seen.insert(id).second);
    EXPECT_GE(id.value, 1);
    ASSERT_NE(table.find(id), nullptr);
    EXPECT_EQ(*table.find(id), flow(1));
    const auto stopped = table.watch(kAnna, {});
    EXPECT_EQ(std::get<StopFlow>(stopped.at(1)).flow, id);
    EXPECT_EQ(table.find(id), nullptr);
  }
}

TEST(FlowTable, SourcesAndPortsAreDifferentFlows) {
  FlowTable table;
  FlowKey with_source = flow(1);
  with_source.source = IpAddress::ip4(0x0a000001);
  FlowKey other_port = flow(1);
  other_port.port = 99;
  (void)table.watch(kAnna, {flow(1), with_source, other_port});
  EXPECT_EQ(table.flows().size(), 3U);
}

TEST(FlowTable, EightViewersOnFourFlows) {
  FlowTable table;
  int starts = 0;
  for (int viewer = 0; viewer < 8; ++viewer) {
    for (const auto& action : table.watch(PeerId{viewer}, {flow(viewer % 4)})) {
      starts += std::holds_alternative<StartFlow>(action) ? 1 : 0;
    }
  }
  EXPECT_EQ(starts, 4);
  for (const auto& [key, f] : table.flows()) {
    EXPECT_EQ(f.viewers.size(), 2U);
  }
}

}  // namespace
}  // namespace hearthcast::sessions
