// A kernel that remembers what a proxy told it, and minds the order of telling.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/sim/proxy/naive.hpp"

namespace hearthcast::proxy {

inline std::string describe(const Actions& actions) {
  std::string text;
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<AddInterface>(&action)) {
      text += "add " + add->name + " " + std::to_string(add->index.value);
    } else if (const auto* remove = std::get_if<RemoveInterface>(&action)) {
      text += "remove " + std::to_string(remove->index.value);
    } else if (const auto* set = std::get_if<SetRoute>(&action)) {
      text += "route " + set->key.group.to_string() + " from " + set->key.source.to_string() + " in " +
              std::to_string(set->input.value) + " to " + std::to_string(set->outputs.size());
    } else if (const auto* gone = std::get_if<RemoveRoute>(&action)) {
      text += "no route " + gone->key.group.to_string() + " from " + gone->key.source.to_string();
    } else if (const auto* filter = std::get_if<SetUpstreamFilter>(&action)) {
      text += "join " + filter->group.to_string() + " on " + std::to_string(filter->index.value) + " " +
              filter->filter.to_string();
    } else {
      text += "another action";
    }
    text += "\n";
  }
  return text;
}

// What the kernel was told, and whether the order of telling was right.
struct Kernel {
  std::map<InterfaceIndex, Role> interfaces = {};
  std::map<RouteKey, NaiveRoute> routes = {};
  Naive::Memberships memberships = {};

  // What vanished is dealt with before what appeared: two steps, each in order.
  void perform(const Actions& actions) {
    Actions step;
    for (const Action& action : actions) {
      step.push_back(action);
      if (std::holds_alternative<RemoveInterface>(action)) {
        perform_step(step);
        step.clear();
      }
    }
    perform_step(step);
  }

 private:
  void perform_step(const Actions& actions) {
    SCOPED_TRACE(describe(actions));
    const auto wanted_after = after(actions);
    for (const Action& action : actions) {
      if (const auto* add = std::get_if<AddInterface>(&action)) {
        interfaces[add->index] = add->role;
      } else if (const auto* remove = std::get_if<RemoveInterface>(&action)) {
        EXPECT_EQ(interfaces.erase(remove->index), 1U);
        std::erase_if(memberships, [&](const auto& m) { return m.first.first == remove->index; });
        for (const auto& [key, route] : routes) {
          EXPECT_NE(route.input, remove->index) << "a route from an interface that is gone";
        }
      } else if (const auto* set = std::get_if<SetRoute>(&action)) {
        EXPECT_TRUE(interfaces.contains(set->input));
        for (const RouteOutput& output : set->outputs) {
          EXPECT_TRUE(interfaces.contains(output.index));
          EXPECT_NE(output.index, set->input) << "back to where it came from";
        }
        if (set->outputs.empty()) {
          expect_left(set->key, set->input, wanted_after);
        }
        routes[set->key] = {set->input, set->outputs};
      } else if (const auto* gone = std::get_if<RemoveRoute>(&action)) {
        expect_left(gone->key, gone->input, wanted_after);
        EXPECT_EQ(routes.erase(gone->key), 1U);
      } else if (const auto* filter = std::get_if<SetUpstreamFilter>(&action)) {
        join(*filter, actions);
      }
    }
  }

  // The memberships once all actions are performed.
  Naive::Memberships after(const Actions& actions) const {
    Naive::Memberships then = memberships;
    for (const Action& action : actions) {
      if (const auto* filter = std::get_if<SetUpstreamFilter>(&action)) {
        then[{filter->index, filter->group}] = filter->filter;
      }
    }
    return then;
  }

  // What this step leaves is left before its route goes.
  void expect_left(const RouteKey& key, InterfaceIndex input, const Naive::Memberships& wanted_after) const {
    const auto is = memberships.find({input, key.group});
    const auto will_be = wanted_after.find({input, key.group});
    if (is != memberships.end() && !will_be->second.admits(key.source)) {
      EXPECT_FALSE(is->second.admits(key.source))
          << key.group.to_string() << " from " << key.source.to_string();
    }
  }

  void join(const SetUpstreamFilter& filter, const Actions& actions) {
    EXPECT_EQ(interfaces.at(filter.index), Role::kUpstream);
    SourceFilter& is = memberships[{filter.index, filter.group}];
    EXPECT_NE(is, filter.filter) << "told what it knew: " << filter.group.to_string();
    // Routes that this step makes for what is joined stand already.
    for (const Action& action : actions) {
      const auto* set = std::get_if<SetRoute>(&action);
      if (set != nullptr && set->key.group == filter.group && !set->outputs.empty() &&
          filter.filter.admits(set->key.source) && !is.admits(set->key.source) &&
          set->input == filter.index) {
        EXPECT_TRUE(routes.contains(set->key) && !routes.at(set->key).outputs.empty());
      }
    }
    is = filter.filter;
    if (is.wants_nothing()) {
      memberships.erase({filter.index, filter.group});
    }
  }
};

}  // namespace hearthcast::proxy
