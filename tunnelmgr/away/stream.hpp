// One channel that is watched: what arrives of it, and the players that it is written to. Data thread only.
#pragma once

#include <optional>
#include <utility>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/datapath/audience.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/flow_receiver.hpp"

namespace hearthcast::away {

class Stream {
 public:
  Stream(const OpenStream& message, datapath::Audience audience)
      : channel_(message.channel), flow_(message.flow), audience_(std::move(audience)) {}

  [[nodiscard]] ChannelId channel() const { return channel_; }
  [[nodiscard]] bool carries(const wire::UdpPacketHeader& header) const;

  // Keeps a datagram; true when it is the first, or the first after silence. Does not write to players: see
  // written().
  bool on_media(const tunnel::MediaFrame& media, tunnel::MediaForm form, Time now);
  // A new session numbers anew.
  void on_new_session();
  // True once when a quarter of a second has passed without data.
  [[nodiscard]] bool went_silent(Time now);

  // False: the kernel refuses to watch one more. On one machine there is nothing to pace for.
  [[nodiscard]] bool add(AddPlayer message, Time now) {
    return audience_.add(message.player, std::move(message.socket), buffer_.start(), std::nullopt, now);
  }
  [[nodiscard]] datapath::Audience& audience() { return audience_; }
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
  datapath::Audience audience_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  StreamCounters former_;  // of the sessions before
  tunnel::MediaForm form_ = tunnel::MediaForm::kFull;
  Time last_data_{};
  bool present_ = false;
  bool fresh_ = false;
  std::uint64_t reported_bytes_ = 0;
  std::optional<Time> reported_at_;
};

}  // namespace hearthcast::away
