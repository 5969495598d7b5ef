// Who watches what: HTTP requests of players become wishes for channels, and what the box brings or refuses
// becomes their answers. Pure: a request is a number; the caller performs the actions.
//
// A channel is wanted from its first request until its last player is gone. A request waits until data comes,
// a refusal does, or ten seconds have passed. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"

namespace hearthcast::away {

using RequestId = Id<struct RequestTag>;

struct Want {  // open a stream for it and ask the box
  ChannelId channel;
  FlowKey flow;
};
struct Unwant {  // close the stream, with whatever players it has, and tell the box
  ChannelId channel;
  FlowKey flow;
};
struct Play {  // answer 200 and hand the socket to the stream
  RequestId request;
  ChannelId channel;
};
struct Answer {  // refuse
  RequestId request;
  int status = 503;
  std::string text;  // for people
};
using ViewingAction = std::variant<Want, Unwant, Play, Answer>;
using ViewingActions = std::vector<ViewingAction>;

// What the link to the box is like, as far as it decides on requests.
struct Reachability {
  bool connected = false;   // greeted by the box
  bool approved = true;     // false: the box knows this device, and says why it may not watch
  int status = 503;         // of the answer when not approved
  std::string explanation;  // what the client is doing, or why not, for people
};

class Viewing {
 public:
  static constexpr std::chrono::seconds kPatience{10};

  [[nodiscard]] ViewingActions on_request(RequestId request, ChannelId channel, Time now);
  [[nodiscard]] ViewingActions on_signal(ChannelId channel, bool present);
  [[nodiscard]] ViewingActions on_refusal(const tunnel::Refusal& refusal);
  // A player that was played has ended; also when handing its socket over failed.
  [[nodiscard]] ViewingActions on_player_gone(ChannelId channel);
  [[nodiscard]] ViewingActions on_reachability(Reachability reachability);
  [[nodiscard]] ViewingActions on_channels(const std::vector<tunnel::Channel>& channels);
  [[nodiscard]] ViewingActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] const tunnel::Channel* find(ChannelId channel) const;
  [[nodiscard]] const std::vector<tunnel::Channel>& channels() const { return channels_; }
  // Wanted flows, for a new session.
  [[nodiscard]] std::vector<FlowKey> wanted() const;
  [[nodiscard]] const FlowKey* flow(ChannelId channel) const;  // of a wanted channel
  [[nodiscard]] const Reachability& reachability() const { return reachability_; }

 private:
  struct Waiting {
    RequestId request;
    Time until;
  };
  struct Watched {
    FlowKey flow;
    std::vector<Waiting> waiting;
    std::size_t players = 0;
    bool present = false;
  };

  void refuse_waiting(Watched& watched, int status, const std::string& text, ViewingActions& out);
  void end(std::map<ChannelId, Watched>::iterator at, int status, const std::string& text,
           ViewingActions& out);
  void drop_if_unused(std::map<ChannelId, Watched>::iterator at, ViewingActions& out);
  [[nodiscard]] std::string unreachable() const;

  std::vector<tunnel::Channel> channels_;
  std::map<ChannelId, Watched> watched_;
  Reachability reachability_;
};

}  // namespace hearthcast::away
