// The HTTP players at home: what each asked for becomes flows that the box carries, an answer, and in the end
// a socket that is closed when it may not go on. Pure; a request is a number, the caller performs the
// actions. Not thread-safe.
//
// A flow is wanted from its first request until its last player is gone. A request waits until data comes, or
// ten seconds have passed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "appliance/access/access.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sessions {

struct LanWatch {  // all that this device's players want from now on
  DeviceId device;
  std::set<FlowKey> flows;
};
struct LanPlay {  // answer 200, and hand the socket to the flow
  PlayerId player;
  FlowKey flow;
};
struct LanAnswer {  // refuse
  PlayerId player;
  int status = 503;
  std::string_view reason;  // for counters
  std::string text;         // for people
};
struct LanCut {  // close its socket
  PlayerId player;
};
using LanAction = std::variant<LanWatch, LanPlay, LanAnswer, LanCut>;
using LanActions = std::vector<LanAction>;

class LanPlayers {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr std::size_t kMaxPerDevice = 16;
  static constexpr std::size_t kMaxPlayers = 128;

  struct Player {
    DeviceId device;
    Sha256 link{};  // the LAN link that it came by
    ChannelId channel;
    FlowKey flow;  // of the channel: with its source, whether it was asked for with one or not
    Time since{};
    Time until{};  // while it waits
    bool playing = false;
  };

  // `device` came by its LAN link. What access refuses is answered at once and joins nothing.
  [[nodiscard]] LanActions on_request(PlayerId player, const access::Access& access,
                                      const access::Device& device, const FlowKey& asked, Time now);
  [[nodiscard]] LanActions on_signal(const FlowKey& flow, bool present, Time now);
  // Its socket is closed, or it left before it was answered. Also of one that was cut.
  [[nodiscard]] LanActions on_gone(PlayerId player);
  // Cuts those that may not go on: revoked, another link, not granted any more.
  [[nodiscard]] LanActions on_access(const access::Access& access);
  [[nodiscard]] LanActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] const std::map<PlayerId, Player>& players() const { return players_; }
  [[nodiscard]] bool is_playing(PlayerId player) const;

 private:
  [[nodiscard]] std::set<FlowKey> flows_of(DeviceId device) const;
  void drop(PlayerId player, LanActions& out);

  std::map<PlayerId, Player> players_;
};

}  // namespace hearthcast::sessions
