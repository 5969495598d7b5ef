// One channel that is watched: what arrives of it, and the players that it is written to. Data thread only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/datapath/audience.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"
#include "tunnelmgr/tunnel/circuit_breaker.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/repair_receiver.hpp"

namespace hearthcast::away {

class Stream : private tunnel::RepairReceiver::Sink {
 public:
  Stream(const OpenStream& message, datapath::Audience audience)
      : channel_(message.channel), flow_(message.flow), audience_(std::move(audience)) {}

  [[nodiscard]] ChannelId channel() const { return channel_; }
  // Of the flow that came last, 0 before one did.
  [[nodiscard]] std::uint32_t number() const { return receiver_.flow(); }
  [[nodiscard]] bool carries(const wire::UdpPacketHeader& header) const;

  // Keeps a datagram that `peer` sent; true when it is the first, or the first after silence. Does not write
  // to players: see written().
  bool on_media(const tunnel::MediaFrame& media, tunnel::MediaForm form, PeerId peer, Time now);
  // The box sends, or will send, what came before.
  void on_prelude(const tunnel::Prelude& prelude, Time now);
  // A new session numbers anew.
  void on_new_session(Time now);
  void set_repair(bool on) { receiver_.set_repair(on); }
  void hint_round_trip(Duration measured) { receiver_.hint_round_trip(measured); }
  // Lets go of what has waited long enough behind a gap.
  void on_deadline(Time now) { receiver_.on_deadline(now, *this); }
  // What to ask peer() for; call until nullopt.
  [[nodiscard]] std::optional<tunnel::Nack> next_nack(Time now) { return receiver_.next_nack(now); }
  [[nodiscard]] Time next_deadline() const { return receiver_.next_deadline(); }
  [[nodiscard]] PeerId peer() const { return peer_; }
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

  // What the last second came to, when the path has been too narrow for several; call once a second, before
  // report().
  [[nodiscard]] std::optional<tunnel::Overload> overload();
  // Counters with the bitrate since the last report.
  [[nodiscard]] StreamCounters report(Time now);

 private:
  void release(Bytes payload) override;
  // False: it is another flow than the present one, and an older.
  bool take_flow(std::uint32_t flow, Time now);
  void restart(std::uint32_t flow, Time now);
  // The form of most datagrams since the last report: in a compact one the box tells the addresses now and
  // then, in fragments.
  tunnel::MediaForm usual_form();
  // Part of a prelude that players do not need.
  [[nodiscard]] bool is_past(std::uint32_t flow, std::uint32_t sequence) const;

  ChannelId channel_;
  FlowKey flow_;
  playout::StreamBuffer buffer_;
  tunnel::RepairReceiver receiver_;
  PeerId peer_;  // whose session brought the last datagram
  datapath::Audience audience_;
  std::uint32_t unnumbered_ = 0;  // datagrams that came without a number
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::array<std::uint64_t, tunnel::kMediaForms> forms_{};  // datagrams in each since the last report
  tunnel::MediaForm form_ = tunnel::MediaForm::kFull;
  std::optional<tunnel::Prelude> passed_;  // is of the past for players that went on from a former session
  bool continued_ = false;                 // something was played of another flow or session
  Time last_data_{};
  bool present_ = false;
  bool fresh_ = false;
  tunnel::CircuitBreaker breaker_;
  std::uint64_t reported_packets_ = 0;
  std::uint64_t reported_lost_ = 0;
  std::uint64_t reported_bytes_ = 0;
  std::optional<Time> reported_at_;
};

}  // namespace hearthcast::away
