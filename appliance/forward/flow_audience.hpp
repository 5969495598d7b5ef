// The HTTP players at home of one flow, and the last seconds of it, which they are served from. Data thread
// only.
//
// However many players there are, the flow is kept once, and each player is written in large pieces: the
// loop calls write() every kBatch, not for each datagram.
#pragma once

#include <chrono>
#include <utility>

#include "tunnelmgr/datapath/audience.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"

namespace hearthcast::forward {

class FlowAudience {
 public:
  // 40 kB of a channel of 8 Mbit/s, which one call writes and one segmented packet carries.
  static constexpr std::chrono::milliseconds kBatch{40};

  explicit FlowAudience(datapath::Audience players) : players_(std::move(players)) {}

  void on_datagram(Bytes datagram) { buffer_.on_datagram(datagram); }

  // Begins at a picture, and is paced until it has caught up. False: see Audience::add().
  [[nodiscard]] bool add(PlayerId player, linux::Fd socket, Time now);
  void on_event(PlayerId player, const linux::Epoll::Event& event, Time now) {
    players_.on_event(player, event, buffer_.ring(), now);
  }
  void write(Time now) { players_.write(buffer_.ring(), now); }
  void retry(Time now) { players_.retry(buffer_.ring(), now); }
  void remove(PlayerId player) { players_.remove(player); }
  void close() { players_.close(); }

  [[nodiscard]] bool empty() const { return players_.empty(); }
  [[nodiscard]] const std::map<PlayerId, datapath::Player>& players() const { return players_.players(); }

 private:
  playout::StreamBuffer buffer_;
  datapath::Audience players_;
};

}  // namespace hearthcast::forward
