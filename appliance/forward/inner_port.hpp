// The box's own end of the tunnels' inside on its data thread: a TUN interface of the box's kernel, and
// between it and the devices' sessions the gate that says what passes. Data thread only; opens nothing
// itself.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "appliance/forward/home_nat.hpp"
#include "appliance/forward/inner_gate.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/linux/tun_device.hpp"

namespace hearthcast::forward {

// Where packets of the kernel go. Views are valid during the call only.
class InnerSink {
 public:
  virtual ~InnerSink() = default;
  // GRE packets for that device, at most datapath::kMaxBatch. How many were lost.
  [[nodiscard]] virtual std::size_t on_inner_packets(PeerId peer, std::span<const Bytes> gre) = 0;
};

class InnerPort {
 public:
  // A descriptor of the interface of its own, without segmentation offload.
  void open(linux::Fd tun);
  [[nodiscard]] int fd() const { return tun_ ? tun_->fd() : -1; }  // to be watched once it is open

  [[nodiscard]] InnerGate& gate() { return gate_; }
  [[nodiscard]] const InnerGate& gate() const { return gate_; }

  [[nodiscard]] HomeNat& nat() { return nat_; }

  // An IP packet out of a device's tunnel. True: it was for the kernel, or refused by an error to the device.
  // Else it is left to whoever else answers for the box.
  [[nodiscard]] bool on_packet(PeerId peer, Bytes ip_packet, InnerSink& sink, Time now);
  // Takes what the kernel sends, one batch of it. True: more may wait.
  bool read(InnerSink& sink);

 private:
  static constexpr std::size_t kSlot =
      2048;  // more than the interface's MTU; what is larger is cut, and refused

  [[nodiscard]] std::optional<PeerId> whose(MutableBytes packet);
  void tell(PeerId peer, const IpAddress& box, Bytes ip_packet, InnerSink& sink, Time now);

  std::optional<linux::TunDevice> tun_;
  InnerGate gate_;
  HomeNat nat_;
  Buffer room_;
};

}  // namespace hearthcast::forward
