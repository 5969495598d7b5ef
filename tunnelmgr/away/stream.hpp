// One channel that is watched: what arrives of it, and the players that it is written to. Data thread only.
#pragma once

#include <functional>
#include <list>
#include <optional>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/away/player.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/flow_receiver.hpp"

namespace hearthcast::away {

class Stream {
 public:
  explicit Stream(const OpenStream& message) : channel_(message.channel), flow_(message.flow) {}

  [[nodiscard]] ChannelId channel() const { return channel_; }
  [[nodiscard]] bool carries(const wire::UdpPacketHeader& header) const;

  // Keeps a datagram; true when it is the first, or the first after silence. Does not write to players: see
  // written().
  bool on_media(const tunnel::MediaFrame& media, Time now);
  // A new session numbers anew.
  void on_new_session();
  // True once when a quarter of a second has passed without data.
  [[nodiscard]] bool went_silent(Time now);

  Player& add(AddPlayer message, Time now);
  [[nodiscard]] std::list<Player>& players() { return players_; }
  [[nodiscard]] const playout::Ring& ring() const { return buffer_.ring(); }
  [[nodiscard]] bool fresh() const { return fresh_; }  // data came since the last written()
  void written() { fresh_ = false; }

  // Counters with the bitrate since the last report.
  [[nodiscard]] StreamCounters report(Time now);

 private:
  ChannelId channel_;
  FlowKey flow_;
  playout::StreamBuffer buffer_;
  tunnel::FlowReceiver receiver_;
  std::list<Player> players_;  // a list: descriptors and iterators stay while others go
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  StreamCounters former_;  // of the sessions before
  Time last_data_{};
  bool present_ = false;
  bool fresh_ = false;
  std::uint64_t reported_bytes_ = 0;
  std::optional<Time> reported_at_;
};

}  // namespace hearthcast::away
