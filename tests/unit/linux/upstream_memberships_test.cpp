// Joins on an upstream "wan": what the kernel then holds, and what the provider at "far_wan" hears.
#include "tunnelmgr/linux/upstream_memberships.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <thread>

#include "tests/unit/linux/upstream.hpp"
#include "tunnelmgr/linux/netd_protocol.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::linux {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Outcome = UpstreamMemberships::Outcome;
using wire::GroupRecord;
using wire::RecordType;

void with_upstream(const std::function<void(Family, UpstreamMemberships&)>& body) {
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    in_links([&] {
      SCOPED_TRACE(family == Family::kIp4 ? "IPv4" : "IPv6");
      add_upstream();
      NetdClient netd;
      UpstreamMemberships memberships(netd);
      body(family, memberships);
    });
  }
}

void expect_set(UpstreamMemberships& memberships, const IpAddress& group, const SourceFilter& filter) {
  const auto answer = memberships.set(up(), group, filter);
  EXPECT_EQ(answer.outcome, Outcome::kDone) << answer.text;
  EXPECT_EQ(memberships.joined(up(), group), filter);
}

TEST(UpstreamMemberships, HoldsMoreGroupsAndSourcesThanOneSocket) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    constexpr int kGroups = 60;
    for (int i = 0; i < kGroups; ++i) {
      expect_set(memberships, group(family, i), include(sources(family, 25)));
    }
    for (int i = kGroups; i < 2 * kGroups; ++i) {
      expect_set(memberships, group(family, i), SourceFilter::any_source());
    }
    for (int i = 0; i < 2 * kGroups; i += 7) {
      const KernelFilter kernel = kernel_filter(group(family, i));
      ASSERT_TRUE(kernel.joined) << i;
      ASSERT_THAT(kernel.included, SizeIs(i < kGroups ? 25 : 0)) << i;
    }
    EXPECT_LT(memberships.sockets(), 20U);
    EXPECT_THAT(memberships.joined(up()), SizeIs(2 * kGroups));
    for (int i = 0; i < 2 * kGroups; ++i) {
      expect_set(memberships, group(family, i), {});
    }
    EXPECT_EQ(memberships.sockets(), 0U);
    EXPECT_FALSE(kernel_filter(group(family, 1)).joined);
    EXPECT_FALSE(kernel_filter(group(family, kGroups)).joined);
  });
}

// The size that the plane is made for: a thousand groups of ten sources each, zapped through.
TEST(UpstreamMemberships, AThousandGroupsOfTenSources) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    for (int i = 0; i < 1000; ++i) {
      expect_set(memberships, group(family, i), include(sources(family, 10)));
    }
    EXPECT_LE(memberships.sockets(), 50U) << "20 groups on each at least";
    for (int i = 0; i < 1000; ++i) {
      expect_set(memberships, group(family, i), include(sources(family, 10, 2)));
    }
    EXPECT_LE(memberships.sockets(), 52U) << "a source more than fits for a moment";
    EXPECT_EQ(kernel_filter(group(family, 500)).included, sources(family, 10, 2));
    EXPECT_EQ(kernel_filter(group(family, 999)).included, sources(family, 10, 2));
    memberships.forget(up());
    EXPECT_EQ(memberships.sockets(), 0U);
  });
}

// Row 36, on the wire: one more is ALLOW, one less is BLOCK, nothing else is said.
TEST(UpstreamMemberships, ASourceMoreOrLessIsAllowOrBlock) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    Provider provider;
    const IpAddress channel = group(family, 1);
    const auto one = sources(family, 1);
    const auto both = sources(family, 2);
    const auto second = sources(family, 1, 2);
    expect_set(memberships, channel, include(one));
    provider.hear(channel, [&](const GroupRecord& r) { return r.sources.size() == 1; });
    expect_set(memberships, channel, include(both));
    auto heard = provider.hear(channel, [&](const GroupRecord& r) {
      return is(r, RecordType::kAllowNewSources, second) || is(r, RecordType::kAllowNewSources, both);
    });
    expect_set(memberships, channel, include(second));
    const auto later = provider.hear(
        channel, [&](const GroupRecord& r) { return is(r, RecordType::kBlockOldSources, one); });
    heard.insert(heard.end(), later.begin(), later.end());
    for (const GroupRecord& record : heard) {
      EXPECT_THAT(record.type, AnyOf(RecordType::kAllowNewSources, RecordType::kBlockOldSources));
      if (record.type == RecordType::kBlockOldSources) {
        EXPECT_TRUE(is(record, RecordType::kBlockOldSources, one));
      }
    }
    EXPECT_EQ(kernel_filter(channel).included, second);
  });
}

// Row 36 where a source has to go to another socket for a while: the moves between sockets are not heard.
TEST(UpstreamMemberships, ASourceMoreOrLessAtTheLimitOfASocket) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    write_file("/proc/sys/net/ipv4/igmp_max_msf", "10");
    Provider provider;
    const IpAddress channel = group(family, 1);
    const int count = family == Family::kIp4 ? 10 : 64;
    expect_set(memberships, channel, include(sources(family, count)));
    provider.hear(channel, [](const GroupRecord& r) { return r.type == RecordType::kAllowNewSources; });
    expect_set(memberships, channel, include(sources(family, count, 2)));
    EXPECT_EQ(memberships.sockets(), 1U);
    const auto heard = provider.hear(channel, [&](const GroupRecord& r) {
      return is(r, RecordType::kBlockOldSources, sources(family, 1));
    });
    for (const GroupRecord& record : heard) {
      EXPECT_TRUE(is(record, RecordType::kBlockOldSources, sources(family, 1)) ||
                  record.type == RecordType::kAllowNewSources)
          << static_cast<int>(record.type) << " of " << record.sources.size();
    }
  });
}

// Row 11, the upstream's half: the last leave is told at once.
TEST(UpstreamMemberships, LeavingIsToldAtOnce) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    Provider provider;
    expect_set(memberships, group(family, 1), include(sources(family, 2)));
    expect_set(memberships, group(family, 2), SourceFilter::any_source());
    provider.hear(group(family, 2),
                  [](const GroupRecord& r) { return r.type == RecordType::kChangeToExclude; });
    expect_set(memberships, group(family, 1), {});
    expect_set(memberships, group(family, 2), {});
    provider.hear(group(family, 1), [&](const GroupRecord& r) {
      return r.type == RecordType::kBlockOldSources || is(r, RecordType::kChangeToInclude, {});
    });
    provider.hear(group(family, 2),
                  [](const GroupRecord& r) { return is(r, RecordType::kChangeToInclude, {}); });
  });
}

// Row 5: nothing new, nothing said.
TEST(UpstreamMemberships, TheSameFilterAgainSaysNothing) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    Provider provider;
    const IpAddress first = group(family, 1);
    const auto join =
        [&](const IpAddress& group) {  // until both copies are heard, as the robustness asks for
          expect_set(memberships, group, SourceFilter::any_source());
          provider.hear(group, [&](const GroupRecord& r) {
            return r.type == RecordType::kChangeToExclude && provider.count(group) >= 2;
          });
        };
    join(first);
    // A link that has just come up tells all its groups once more, this one as well.
    const IpAddress untouched = group(family, 4);
    join(untouched);
    const auto more = [&] { return provider.count(first) - provider.count(untouched); };
    const int before = more();
    for (int i = 0; i < 10; ++i) {
      expect_set(memberships, first, SourceFilter::any_source());
    }
    expect_set(memberships, group(family, 3), {});  // never joined
    EXPECT_EQ(memberships.sockets(), 1U);
    join(group(family, 2));
    EXPECT_LE(more(), before);
    EXPECT_EQ(provider.count(group(family, 3)), 0);
  });
}

TEST(UpstreamMemberships, ChangesOfModeKeepWhatBothWant) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    const IpAddress channel = group(family, 1);
    expect_set(memberships, channel, include(sources(family, 25)));
    expect_set(memberships, channel, SourceFilter::any_source());
    EXPECT_THAT(kernel_filter(channel).included, IsEmpty());
    EXPECT_THAT(kernel_filter(channel).excluded, IsEmpty());
    EXPECT_TRUE(kernel_filter(channel).joined);
    expect_set(memberships, channel, include(sources(family, 30, 10)));
    EXPECT_EQ(kernel_filter(channel).included, sources(family, 30, 10));
    EXPECT_THAT(kernel_filter(channel).excluded, IsEmpty());
    expect_set(memberships, channel, exclude(sources(family, 3)));
    EXPECT_EQ(kernel_filter(channel).excluded, sources(family, 3));
    EXPECT_THAT(kernel_filter(channel).included, IsEmpty());
    expect_set(memberships, channel, exclude(sources(family, 4, 2)));
    EXPECT_EQ(kernel_filter(channel).excluded, sources(family, 4, 2));
    expect_set(memberships, channel, include(sources(family, 2)));
    EXPECT_EQ(kernel_filter(channel).included, sources(family, 2));
    EXPECT_THAT(kernel_filter(channel).excluded, IsEmpty());
    expect_set(memberships, channel, exclude(sources(family, 2, 5)));
    EXPECT_EQ(kernel_filter(channel).excluded, sources(family, 2, 5));
    expect_set(memberships, channel, {});
    EXPECT_FALSE(kernel_filter(channel).joined);
    EXPECT_EQ(memberships.sockets(), 0U);
  });
}

// A channel that is watched while others change its filter never stops: random walks through all kinds.
TEST(UpstreamMemberships, AnyWalkThroughFiltersEndsWhereItShould) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    std::uint32_t state = 12345;
    const auto next = [&](std::uint32_t below) {
      state = state * 1664525 + 1013904223;
      return static_cast<int>((state >> 8) % below);
    };
    for (int step = 0; step < 150; ++step) {
      const IpAddress channel = group(family, next(3));
      const auto list = sources(family, next(9), 1 + next(20));
      const SourceFilter filter{next(2) == 0 ? FilterMode::kInclude : FilterMode::kExclude, list};
      expect_set(memberships, channel, filter);
      const KernelFilter kernel = kernel_filter(channel);
      ASSERT_EQ(kernel.joined, !filter.wants_nothing()) << step;
      const bool includes = filter.mode == FilterMode::kInclude;
      ASSERT_EQ(kernel.included, includes ? list : AddressSet()) << step << filter.to_string();
      ASSERT_EQ(kernel.excluded, includes ? AddressSet() : list) << step << filter.to_string();
    }
  });
}

TEST(UpstreamMemberships, ALongListOfExcludedSourcesRaisesTheLimit) {
  in_links([] {
    add_upstream();
    NetdClient netd;
    UpstreamMemberships memberships(netd);
    write_file("/proc/sys/net/ipv4/igmp_max_msf", "10");
    const IpAddress one = group(Family::kIp4, 1);
    expect_set(memberships, one, exclude(sources(Family::kIp4, 15)));
    EXPECT_EQ(kernel_filter(one).excluded, sources(Family::kIp4, 15));
    expect_set(memberships, one, exclude(sources(Family::kIp4, 20)));
    EXPECT_EQ(kernel_filter(one).excluded, sources(Family::kIp4, 20));
    EXPECT_EQ(*netd.read_setting(MachineSetting::kIgmpMaxSources), 20U);
  });
}

// A helper that may do nothing.
void with_a_helper_that_refuses(const std::function<void(UpstreamMemberships&)>& body) {
  auto [own, theirs] = make_message_pair();
  std::thread refusing([socket = theirs.get()] {
    std::array<std::uint8_t, 64> room{};
    for (;;) {
      const UnixMessage message = receive_message(socket, room);
      const auto request = decode_netd_request(Bytes(room).first(message.size));
      if (!request || !send_message(socket, encode(NetdReply{request->operation, EPERM, 0}))) {
        return;
      }
    }
  });
  {
    NetdClient netd(std::move(own));
    UpstreamMemberships memberships(netd);
    body(memberships);
  }
  refusing.join();
}

// Where the limit stays, more comes than was asked for, never less; and it is told.
TEST(UpstreamMemberships, WhatCannotBeExcludedIsAdmittedAndTold) {
  in_links([] {
    add_upstream();
    write_file("/proc/sys/net/ipv4/igmp_max_msf", "10");
    with_a_helper_that_refuses([](UpstreamMemberships& memberships) {
      const IpAddress one = group(Family::kIp4, 1);
      const SourceFilter wanted = exclude(sources(Family::kIp4, 15));
      for (int i = 0; i < 2; ++i) {
        const auto answer = memberships.set(up(), one, wanted);
        if (i == 0) {
          EXPECT_EQ(answer.outcome, Outcome::kPartly);
          EXPECT_THAT(answer.text, HasSubstr("raise net.ipv4.igmp_max_msf"));
        } else {
          EXPECT_EQ(answer.outcome, Outcome::kDone) << "there is nothing to ask for again";
        }
      }
      EXPECT_EQ(memberships.joined(up(), one), wanted);
      EXPECT_EQ(kernel_filter(one).excluded, sources(Family::kIp4, 10));
      const auto longer = memberships.set(up(), one, exclude(sources(Family::kIp4, 16)));
      EXPECT_EQ(longer.outcome, Outcome::kPartly);
      expect_set(memberships, one, exclude(sources(Family::kIp4, 4)));
      EXPECT_EQ(kernel_filter(one).excluded, sources(Family::kIp4, 4));
    });
  });
}

// The kernel has joined by then.
TEST(UpstreamMemberships, AGroupWhoseListIsRefusedAltogetherCanBeLeft) {
  in_links([] {
    add_upstream();
    write_file("/proc/sys/net/ipv4/igmp_max_msf", "5");
    with_a_helper_that_refuses([](UpstreamMemberships& memberships) {
      const IpAddress one = group(Family::kIp4, 1);
      const auto answer = memberships.set(up(), one, exclude(sources(Family::kIp4, 15)));
      EXPECT_EQ(answer.outcome, Outcome::kRefused);
      EXPECT_EQ(memberships.joined(up(), one), SourceFilter::any_source());
      EXPECT_TRUE(kernel_filter(one).joined);
      expect_set(memberships, one, {});
      EXPECT_FALSE(kernel_filter(one).joined);
      EXPECT_EQ(memberships.sockets(), 0U);
    });
  });
}

TEST(UpstreamMemberships, AnInterfaceThatVanishesIsAnAnswerAndANewOneWorks) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    const unsigned old = up();
    expect_set(memberships, group(family, 1), include(sources(family, 15)));
    expect_set(memberships, group(family, 2), SourceFilter::any_source());
    run_ip("link del wan");
    const auto more = memberships.set(old, group(family, 1), include(sources(family, 16)));
    EXPECT_EQ(more.outcome, Outcome::kGone);
    EXPECT_THAT(more.text, HasSubstr("this interface is gone"));
    EXPECT_EQ(memberships.joined(old, group(family, 1)), SourceFilter{});
    EXPECT_EQ(memberships.set(old, group(family, 3), SourceFilter::any_source()).outcome, Outcome::kGone);
    EXPECT_EQ(memberships.set(old, group(family, 2), exclude(sources(family, 1))).outcome, Outcome::kGone);
    EXPECT_THAT(memberships.joined(old), IsEmpty());
    EXPECT_EQ(memberships.sockets(), 0U);
    add_upstream();
    expect_set(memberships, group(family, 1), include(sources(family, 15)));
    EXPECT_THAT(kernel_filter(group(family, 1)).included, SizeIs(15));
    memberships.forget(up());
    EXPECT_FALSE(kernel_filter(group(family, 1)).joined);
    EXPECT_EQ(memberships.sockets(), 0U);
  });
}

// Row 44, upstream: what ends leaves.
TEST(UpstreamMemberships, EndLeavesEverything) {
  with_upstream([](Family family, UpstreamMemberships& memberships) {
    expect_set(memberships, group(family, 1), include(sources(family, 15)));
    NetdClient other;
    memberships = UpstreamMemberships(other);
    EXPECT_FALSE(kernel_filter(group(family, 1)).joined);
    expect_set(memberships, group(family, 1), SourceFilter::any_source());
  });
}

// Row 43: everything wanted is told again, and nothing is left meanwhile.
TEST(UpstreamMemberships, ReportsAgainWithoutLeaving) {
  in_links([] {
    add_upstream();
    Provider provider;
    NetdClient netd;
    UpstreamMemberships memberships(netd);
    LinkSocket link = open_link("wan");
    for (const Family family : {Family::kIp4, Family::kIp6}) {
      for (int i = 0; i < 200; ++i) {
        expect_set(memberships, group(family, i), include(sources(family, 2)));
      }
      expect_set(memberships, group(family, 999), exclude(sources(family, 1)));
    }
    const IpAddress own6 = address("fe80::7");
    const auto sent = memberships.report_again(link, {.own_ip4 = address("192.0.2.100"), .own_ip6 = own6});
    ASSERT_TRUE(sent) << sent.error().text;
    EXPECT_GT(*sent, 4U);
    EXPECT_LT(*sent, 20U) << "many records share a packet";
    for (const Family family : {Family::kIp4, Family::kIp6}) {
      provider.hear(group(family, 999), [&](const GroupRecord& r) {
        return is(r, RecordType::kModeIsExclude, sources(family, 1));
      });
      EXPECT_EQ(kernel_filter(group(family, 7)).included, sources(family, 2));
    }
    // Only of families that have an address to speak from, and of that link's groups.
    EXPECT_EQ(*memberships.report_again(link, {.own_ip4 = std::nullopt, .own_ip6 = std::nullopt}), 0U);
    EXPECT_EQ(*memberships.report_again(provider.link(), {.own_ip6 = own6}), 0U);
    run_ip("link set wan down");
    EXPECT_FALSE(memberships.report_again(link, {.own_ip6 = own6}));
  });
}

TEST(UpstreamMemberships, ReportsAgainInTheQueriersOldVersion) {
  in_links([] {
    add_upstream();
    LinkSocket far = open_link("far_wan");
    NetdClient netd;
    UpstreamMemberships memberships(netd);
    LinkSocket link = open_link("wan");
    expect_set(memberships, group(Family::kIp4, 1), include(sources(Family::kIp4, 2)));
    expect_set(memberships, group(Family::kIp6, 1), SourceFilter::any_source());
    const auto sent = memberships.report_again(link, {.own_ip4 = address("192.0.2.100"),
                                                      .own_ip6 = address("fe80::7"),
                                                      .igmp_version = 2,
                                                      .mld_version = 1});
    ASSERT_TRUE(sent);
    EXPECT_EQ(*sent, 2U);
    AddressSet named;
    EXPECT_TRUE(eventually([&] {
      while (const auto packet = far.receive()) {
        const auto decoded = wire::decode_membership_packet(*packet);
        if (const auto* report = decoded ? std::get_if<wire::OldReport>(&decoded->message) : nullptr) {
          EXPECT_EQ(decoded->destination, report->group);
          EXPECT_EQ(report->version, report->group.is_ip4() ? 2 : 1);
          named.insert(report->group);
        }
      }
      return named == AddressSet{group(Family::kIp4, 1), group(Family::kIp6, 1)};
    }));
  });
}

TEST(UpstreamMemberships, RefusesWhatCannotBeJoined) {
  NetdClient netd;
  UpstreamMemberships memberships(netd);
  const auto refused = [&](unsigned index, const char* group,
                           const SourceFilter& filter = SourceFilter::any_source()) {
    const auto answer = memberships.set(index, address(group), filter);
    EXPECT_THAT(answer.text, HasSubstr("cannot join"));
    return answer.outcome == Outcome::kRefused;
  };
  EXPECT_TRUE(refused(0, "239.1.1.1"));
  EXPECT_TRUE(refused(1, "192.0.2.1"));
  EXPECT_TRUE(refused(1, "224.0.0.5"));  // row 24
  EXPECT_TRUE(refused(1, "ff02::5"));
  EXPECT_TRUE(refused(1, "239.1.1.1", include({address("2001:db8::1")})));
  EXPECT_TRUE(refused(1, "ff3e::1", include({address("ff3e::2")})));
  EXPECT_TRUE(refused(1, "ff3e::1", include({address("::")})));
  EXPECT_THAT(memberships.joined(1), IsEmpty());
}

}  // namespace
}  // namespace hearthcast::linux
