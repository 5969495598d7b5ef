// One flow that the box carries: its socket, its frames and who gets them. Data thread only.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "appliance/forward/flow_audience.hpp"
#include "appliance/forward/flow_meter.hpp"
#include "appliance/forward/formed_batch.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/playout/start_point.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/repair_ring.hpp"
#include "tunnelmgr/tunnel/retransmitter.hpp"

namespace hearthcast::forward {

class ClearPeer;

struct Viewer {
  PeerId id;
  datapath::Peer* peer = nullptr;  // in the session table, which outlives it; null for a foreign peer
  ClearPeer* clear = nullptr;      // that one; it stays until the end
  // With `form`, as in ViewerCounters. A large house has ten thousand of these: nothing stands in them twice.
  datapath::SegmentSender::Sent sent;
  tunnel::Retransmitter repair;
  tunnel::Prelude prelude;
  tunnel::MediaForm form = tunnel::MediaForm::kFull;
  int announcements = 0;  // how often the prelude is still to be said: one may be lost
};

class Flow {
 public:
  explicit Flow(AddFlow message);

  void exchange_socket(std::unique_ptr<linux::MulticastSocket> socket);
  [[nodiscard]] linux::MulticastSocket& socket() { return *socket_; }
  [[nodiscard]] FlowId id() const { return id_; }
  [[nodiscard]] FlowMeter& meter() { return meter_; }
  [[nodiscard]] std::vector<Viewer>& viewers() { return viewers_; }
  // Its players at home; null while there were none and nobody wants it kept.
  [[nodiscard]] FlowAudience* audience() { return audience_.get(); }
  void set_audience(std::unique_ptr<FlowAudience> audience) { audience_ = std::move(audience); }
  // Somebody waits for each datagram at once. Players at home do not: the socket is read when they are
  // written.
  [[nodiscard]] bool prompt() const { return !viewers_.empty() || !audience_ || audience_->empty(); }

  // Whether its socket wakes the thread: the loop's note.
  [[nodiscard]] bool watched() const { return watched_; }
  void set_watched(bool watched) { watched_ = watched; }

  // Counts, frames and sends datagrams of one receive call to every viewer. `batch` is for their forms,
  // shared by all flows of a thread in turn. True when the signal came with them.
  bool forward(std::span<const linux::Datagram> datagrams, FormedBatch& batch,
               datapath::SegmentSender& sender, Time now);
  // The viewer is new: it gets what came since the table before the last picture that decodes by itself.
  void begin_prelude(Viewer& viewer);
  void on_nack(const tunnel::Nack& nack, PeerId peer);
  // Sends what viewers still get from the past; once a turn, after the live traffic. Whether
  // something is left for later.
  [[nodiscard]] bool send_again(FormedBatch& batch, datapath::SegmentSender& sender);
  // About once a second.
  void report(Time now, Statistics& statistics);
  // A viewer came, or gets another form: the next datagram names the flow's addresses in compact forms.
  void tell_addresses() { told_ = Time{}; }

 private:
  // One batch of frames whose outer headers get the same two bits of ECN.
  void fan_out(std::span<const Bytes> frames, std::uint8_t ecn, FormedBatch& batch,
               datapath::SegmentSender& sender, Time now);
  // The batch without numbers. False: to this viewer it goes in GRE, because its path does not carry it so.
  [[nodiscard]] static bool send_unnumbered(Viewer& viewer, std::span<const Bytes> frames, FormedBatch& batch,
                                            std::uint8_t ecn, datapath::SegmentSender& sender);
  // In the form of GRE that the viewer's path carries.
  static void send_to(Viewer& viewer, FormedBatch& batch, std::uint8_t ecn, datapath::SegmentSender& sender);
  static void send_clear(Viewer& viewer, std::span<const Bytes> frames);
  static void announce(Viewer& viewer, datapath::SegmentSender& sender);
  void note_start(Bytes payload);

  FlowId id_;
  FlowKey key_;
  std::unique_ptr<linux::MulticastSocket> socket_;
  tunnel::FlowFramer framer_;
  bool watched_ = false;
  tunnel::RepairRing ring_;          // what was framed: viewers are sent from here, and again
  std::uint64_t framed_ = 0;         // the next sequence number, not modulo 2^32
  playout::StartPoint start_point_;  // in framed packets
  FlowMeter meter_;
  std::vector<Viewer> viewers_;
  std::unique_ptr<FlowAudience> audience_;
  Time told_{};  // when the addresses were named last
};

}  // namespace hearthcast::forward
