// Media out of the tunnel into the TUN interface: what the laptop's kernel listens to, at once, and nothing
// that is older than what it has had, neither a repetition nor a repair. Data thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/away/tun_batch.hpp"
#include "tunnelmgr/linux/tun_device.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"

namespace hearthcast::away {

class TunOutput {
 public:
  using Signal = std::function<void(const membership::Subscription&, bool present)>;

  void open(OpenTun message);
  void listen(TunListens message);
  // Numbers of flows mean something else from now on.
  void on_new_session();

  // True when the kernel listens to it. Gathers; flush() writes. `signal`: the first that came of what is
  // listened to, or the first after silence.
  bool on_media(const tunnel::MediaFrame& media, Time now, const Signal& signal);
  // Of that flow everything up to `last` comes to fill what players have missed: not for a program that
  // joins.
  void pass_over(FlowId flow, std::uint32_t last, Time now);
  void flush();
  // What has been silent for a quarter of a second; once each.
  void on_tick(Time now, const Signal& signal);

  [[nodiscard]] bool idle() const { return wanted_.empty(); }
  [[nodiscard]] const TunCounters& counters() const { return counters_; }

 private:
  struct Wanted {
    membership::Subscription subscription;
    Time last_data{};
    bool present = false;
  };
  // Kept for flows that nobody listens to as well: who joins later is not to begin with a repair.
  struct Flow {
    std::optional<std::uint32_t> newest;
    Time newest_at{};
    std::unique_ptr<TunBatch> batch;  // once somebody listened
    bool fresh = false;               // in fresh_

    // Whether that number is ahead of all before; if so, it is remembered.
    [[nodiscard]] bool advance(std::uint32_t sequence, Time now);
  };

  [[nodiscard]] Wanted* wanted_of(const wire::UdpPacketHeader& header) const;
  Flow& flow_of(FlowId id);
  void write(TunBatch& batch);

  std::optional<linux::TunDevice> tun_;
  bool segments_ = false;
  std::vector<std::unique_ptr<Wanted>> wanted_;  // few
  std::unordered_map<FlowId, Flow> flows_;
  std::vector<Flow*> fresh_;  // with datagrams that are not written yet
  TunCounters counters_;
};

}  // namespace hearthcast::away
