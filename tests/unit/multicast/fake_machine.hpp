// A machine for the plane without a kernel: records what is asked of it, in order, and can refuse.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "appliance/multicast/machine.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::multicast::testing_machine {

inline std::string to_text(const linux::RouteKey& key) {
  return "(" + (key.source ? key.source->to_string() : "*") + "," + key.group.to_string() + ")";
}

class FakeMachine final : public Machine {
 public:
  struct LinkPart {
    std::function<void(Time)> on_readable;
    std::deque<Buffer> waiting;
    std::vector<Buffer> sent;
    bool own_groups_only = false;
  };

  Result<std::unique_ptr<Link>, Failure> open_link(unsigned index,
                                                   std::function<void(Time now)> on_readable) override {
    if (no_links.contains(index)) {
      return Failure{"No privilege for link " + std::to_string(index) + "."};
    }
    links[index] = {std::move(on_readable), {}, {}};
    return std::unique_ptr<Link>(std::make_unique<FakeLink>(*this, index));
  }

  Result<std::unique_ptr<Table>, Failure> open_table(Family family, std::uint32_t number,
                                                     std::function<void(Time now)> on_readable) override {
    if (no_tables.contains(family)) {
      return Failure{"No table."};
    }
    did.push_back("open " + std::to_string(number) + (family == Family::kIp4 ? " v4" : " v6"));
    table_readable[family] = std::move(on_readable);
    return std::unique_ptr<Table>(std::make_unique<FakeTable>(*this, family));
  }

  Memberships& memberships() override { return joined_; }
  void wake_at(Time deadline) override { wake = deadline; }

  // A packet comes in on the link.
  void hear(unsigned index, Buffer packet, Time now) {
    links.at(index).waiting.push_back(std::move(packet));
    links.at(index).on_readable(now);
  }
  void tell(Family family, const linux::RouteUpcall& upcall, Time now) {
    upcalls[family].push_back(upcall);
    table_readable.at(family)(now);
  }
  // What was done since it was last asked.
  std::vector<std::string> news() { return std::exchange(did, {}); }

  std::map<unsigned, LinkPart> links;  // open ones
  std::map<Family, std::function<void(Time)>> table_readable;
  std::map<Family, std::set<unsigned>> routed;  // interfaces of the open tables
  std::map<Family, std::deque<linux::RouteUpcall>> upcalls;
  std::map<linux::RouteKey, linux::Route> routes;
  std::map<linux::RouteKey, linux::RouteCounters> counted;
  std::map<std::pair<unsigned, IpAddress>, SourceFilter> joined;
  std::set<unsigned> no_links;
  std::set<Family> no_tables;
  bool refuse_routes = false;
  std::optional<Memberships::Answer> refuse_joins;
  std::vector<std::string> did;
  int reported_again = 0;
  Memberships::ReportAs reported_as;
  Time wake = kNever;

 private:
  class FakeLink final : public Link {
   public:
    FakeLink(FakeMachine& machine, unsigned index) : machine_(machine), index_(index) {}
    ~FakeLink() override { machine_.links.erase(index_); }
    std::optional<Bytes> receive() override {
      auto& waiting = machine_.links.at(index_).waiting;
      if (waiting.empty()) {
        return std::nullopt;
      }
      room_ = std::move(waiting.front());
      waiting.pop_front();
      return Bytes(room_);
    }
    bool gone() const override { return false; }
    void hear_own_groups_only() override { machine_.links.at(index_).own_groups_only = true; }
    Result<void, Failure> send(Bytes packet) override {
      machine_.links.at(index_).sent.emplace_back(packet.begin(), packet.end());
      return {};
    }
    std::uint64_t overflow() override { return 3; }

   private:
    FakeMachine& machine_;
    unsigned index_;
    Buffer room_;
  };

  class FakeTable final : public Table {
   public:
    FakeTable(FakeMachine& machine, Family family) : machine_(machine), family_(family) {}
    ~FakeTable() override {
      machine_.table_readable.erase(family_);
      machine_.routed.erase(family_);
      std::erase_if(machine_.routes, [&](const auto& each) { return each.first.group.family() == family_; });
    }
    Result<void, Failure> add_interface(unsigned index) override {
      auto& interfaces = machine_.routed[family_];
      if (interfaces.size() == linux::MulticastRouting::kMaxInterfaces) {
        return Failure{"The table is full."};
      }
      interfaces.insert(index);
      return {};
    }
    void remove_interface(unsigned index) override { machine_.routed[family_].erase(index); }
    Result<void, Failure> set_route(const linux::Route& route) override {
      if (machine_.refuse_routes) {
        return Failure{"No room for a route."};
      }
      std::string text = "route " + to_text(route.key) + " " + std::to_string(route.input) + "->";
      for (const auto& output : route.outputs) {
        text += " " + std::to_string(output.interface_index);
      }
      machine_.did.push_back(text);
      machine_.routes[route.key] = route;
      return {};
    }
    void remove_route(const linux::RouteKey& key) override {
      if (machine_.routes.erase(key) > 0) {
        machine_.did.push_back("unroute " + to_text(key));
      }
    }
    std::optional<linux::RouteUpcall> read() override {
      auto& waiting = machine_.upcalls[family_];
      if (waiting.empty()) {
        return std::nullopt;
      }
      const auto next = waiting.front();
      waiting.pop_front();
      return next;
    }
    std::optional<linux::RouteCounters> counters(const linux::RouteKey& key) const override {
      const auto found = machine_.counted.find(key);
      return found == machine_.counted.end() ? std::optional(linux::RouteCounters{}) : found->second;
    }
    std::optional<linux::InterfaceCounters> counters(unsigned index) const override {
      if (!machine_.routed[family_].contains(index)) {
        return std::nullopt;
      }
      return linux::InterfaceCounters{index, index * 1000ULL, family_ == Family::kIp4 ? 4ULL : 6ULL, 0};
    }

   private:
    FakeMachine& machine_;
    Family family_;
  };

  class FakeMemberships final : public Memberships {
   public:
    explicit FakeMemberships(FakeMachine& machine) : machine_(machine) {}
    Answer set(unsigned index, const IpAddress& group, const SourceFilter& filter) override {
      if (machine_.refuse_joins && !filter.wants_nothing()) {
        return *machine_.refuse_joins;
      }
      machine_.did.push_back("join " + std::to_string(index) + " " + group.to_string() + " " +
                             filter.to_string());
      machine_.joined[{index, group}] = filter;
      if (filter.wants_nothing()) {
        machine_.joined.erase({index, group});
      }
      return {};
    }
    void forget(unsigned index) override {
      std::erase_if(machine_.joined, [&](const auto& each) { return each.first.first == index; });
    }
    SourceFilter joined(unsigned index, const IpAddress& group) const override {
      const auto found = machine_.joined.find({index, group});
      return found == machine_.joined.end() ? SourceFilter() : found->second;
    }
    Result<std::size_t, Failure> report_again(Link&, const ReportAs& as) override {
      ++machine_.reported_again;
      machine_.reported_as = as;
      return std::size_t{1};
    }

   private:
    FakeMachine& machine_;
  };

  FakeMemberships joined_{*this};
};

}  // namespace hearthcast::multicast::testing_machine
