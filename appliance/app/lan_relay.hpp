// The LAN relay: what players at home ask for over plain HTTP becomes flows, answers, and sockets that the
// data thread writes. Control thread only; docs/protocol/lan-relay.md is what players see.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "appliance/access/access.hpp"
#include "appliance/api/live.hpp"
#include "appliance/app/sessions.hpp"
#include "appliance/sessions/lan_players.hpp"
#include "tunnelmgr/http/responder.hpp"
#include "tunnelmgr/linux/interfaces.hpp"

namespace hearthcast::app {

class LanRelay {
 public:
  struct Needs {  // what is referred to outlives the relay
    Log& log;
    const Crypto& crypto;
    Sessions& sessions;
    // False: the data thread does not keep up, and the message is lost.
    std::function<bool(forward::Down)> post;
    // Whether the address is one of this household.
    std::function<bool(const IpAddress&)> is_home;
    std::function<void()> arm;  // next_deadline() may have moved, other than by a call from outside
  };
  explicit LanRelay(Needs needs);

  // A request for which playlist::is_lan_path() is true.
  void serve(const http::Request& request, http::Responder responder, Time now);
  void on_access(std::shared_ptr<const access::Access> access, Time now);
  void on_signal(const FlowKey& flow, bool present, Time now);
  void on_gone(const forward::PlayerGone& gone, Time now);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return players_.next_deadline(); }
  void stop();  // waiting requests are dropped; the sockets are the data thread's

  // Adds the players to what the API shows. `statistics` may be null.
  void show(api::LiveState& live, const forward::Statistics* statistics) const;

 private:
  void answer(const http::Responder& responder, int status, const char* reason, const std::string& text);
  void perform(const sessions::LanActions& actions, Time now);
  void watch(DeviceId device, const std::set<FlowKey>& flows, Time now);
  void hand_over(PlayerId player, const FlowKey& flow);

  Needs needs_;
  std::shared_ptr<const access::Access> access_;
  sessions::LanPlayers players_;
  std::map<PlayerId, http::Responder> waiting_;
  std::map<DeviceId, PeerId> listeners_;  // as which Sessions knows a device's players together
  std::map<std::string, std::uint64_t> refused_;
  std::uint64_t started_ = 0;
  std::uint64_t too_slow_ = 0;
  std::uint64_t former_bytes_ = 0;  // of players that are gone
  std::int64_t last_player_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // shared with hand-overs in flight
};

// Whether it is an address of this household: one that is used at home only, or on one of the box's links.
[[nodiscard]] bool is_home(const IpAddress& address, const std::vector<linux::Interface>& own);

// Whether `host` can stand in an address of a playlist: a name, or an address with or without a port.
[[nodiscard]] bool is_plain_host(std::string_view host);

}  // namespace hearthcast::app
