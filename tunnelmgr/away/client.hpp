// The away client as a whole, on its control thread: the link to the box, the rendezvous, what players ask
// for, and the data thread that serves them. Web pages and subcommands are web.hpp and control.hpp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/away/box_link.hpp"
#include "tunnelmgr/away/data_plane.hpp"
#include "tunnelmgr/away/host_names.hpp"
#include "tunnelmgr/away/introducer.hpp"
#include "tunnelmgr/away/lan_asker.hpp"
#include "tunnelmgr/away/relay.hpp"
#include "tunnelmgr/away/state.hpp"
#include "tunnelmgr/away/tun.hpp"
#include "tunnelmgr/away/viewing.hpp"
#include "tunnelmgr/http/relay_finder.hpp"
#include "tunnelmgr/http/responder.hpp"
#include "tunnelmgr/http/signalling_link.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/nat/presence.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/openssl_old_hashes.hpp"

namespace hearthcast::away {

class Client final : private LinkHost {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Log& log;
    StateFolder state;
    secure::OpenSslIdentity identity;
    linux::UdpSocket socket;
    Memory memory;
    std::string name;            // of this device
    std::unique_ptr<Tun> tun{};  // none: players come by HTTP only
    signalling::RelayPolicy relay = signalling::RelayPolicy::kAuto;
    bool ask_lan = true;                              // for the box, on the links that this machine is on
    tunnel::Form encapsulation = tunnel::Form::kGre;  // that the box is asked for
  };

  // Starts the data thread; connects as soon as the io_context runs, if a box is paired.
  [[nodiscard]] static Result<std::unique_ptr<Client>, Failure> start(Parts parts);
  ~Client() override;
  void stop();  // orderly: says goodbye to the box and closes the players

  [[nodiscard]] bool alive() const { return plane_.alive(); }  // for the watchdog

  // A player's GET of a channel; answered at once or later.
  void play(ChannelId channel, http::Responder responder);
  // Paired anew: this box, instead of the one before.
  [[nodiscard]] Result<void, Failure> adopt(BoxRecord box);
  // What the owner of this device knows: where the box is, or by which rendezvous to be introduced. Saved.
  [[nodiscard]] Result<void, Failure> set_manual(std::vector<tunnel::ReachAddress> addresses);
  [[nodiscard]] Result<void, Failure> set_rendezvous(const signalling::RendezvousAddress& rendezvous);

  [[nodiscard]] const secure::OpenSslIdentity& identity() const { return parts_.identity; }
  [[nodiscard]] const std::string& name() const { return parts_.name; }
  [[nodiscard]] tunnel::Form encapsulation() const { return parts_.encapsulation; }  // that it asks for
  [[nodiscard]] const std::optional<BoxRecord>& box() const { return box_; }
  [[nodiscard]] const std::vector<tunnel::Channel>& channels() const { return viewing_.channels(); }
  [[nodiscard]] const Reachability& reachability() const { return viewing_.reachability(); }
  [[nodiscard]] std::optional<LinkStatus> link() const;
  [[nodiscard]] const Memory& memory() const { return parts_.memory; }
  [[nodiscard]] const Tun* tun() const { return parts_.tun.get(); }
  [[nodiscard]] const Statistics* statistics() const { return statistics_.get(); }
  // Channels that the path did not carry, and what would fit, in the box's words; until they are watched
  // again.
  [[nodiscard]] const std::map<FlowKey, std::string>& narrow() const { return narrow_; }
  // In words: connected, or why not.
  [[nodiscard]] std::string rendezvous_text() const;
  [[nodiscard]] std::optional<Endpoint> mapped() const { return presence_.mapped(); }
  [[nodiscard]] std::uint16_t port() const { return parts_.socket.port(); }
  [[nodiscard]] const Relay& relay() const { return relay_; }
  // The settings of this device, or of the box where these leave it open.
  [[nodiscard]] signalling::RelayPolicy relay_policy() const;
  [[nodiscard]] std::vector<Endpoint> relayed() const;
  [[nodiscard]] std::string relay_text() const;  // the same in words, and whether there is one to ask
  // The path that is used leads through a relay, this end's or the box's.
  [[nodiscard]] bool is_relayed(const Endpoint& path) const;

 private:
  Client(Parts parts, secure::DtlsContext dtls);

  void send(const Endpoint& to, Bytes datagram) override;
  void post(Down message) override;
  PeerId next_peer() override { return PeerId{++last_peer_}; }
  [[nodiscard]] tunnel::DeviceHello hello() const override;
  void on_status() override;
  void on_channels(const tunnel::ChannelList& list) override;
  void on_refusal(const tunnel::Refusal& refusal) override;
  void on_home_hosts(const HomeHosts& hosts) override;
  void on_reach(const tunnel::Reach& reach) override;
  void on_path_doubt(bool doubted) override;
  void on_path(const Endpoint& endpoint) override;
  void on_packet(Bytes ip_packet) override;
  [[nodiscard]] std::string relayed_because(const Endpoint& path) const override;
  [[nodiscard]] std::string name_of(const Endpoint& path) const override;

  void connect(Time now);
  void connect_rendezvous();
  [[nodiscard]] std::vector<nat::Candidate> known_candidates() const;  // of box_
  void look_around();                                                  // for the box, unless there is a path
  void try_out(const std::vector<Endpoint>& found);
  void on_up(Up message, Time now);
  void on_stun(const datapath::StunReceived& received, Time now);
  void on_signal(const StreamSignal& signal, Time now);
  void on_rendezvous(signalling::ClientAction event, Time now);
  void on_network_change();
  void start_tun();
  bool other_networks_changed();  // since it was asked last
  void on_tun_signal(const TunSignal& signal, Time now);
  void on_deadline(Time now);
  void on_introduced(std::vector<nat::Candidate> candidates, Time now);
  void on_box_moved(const signalling::BoxMoved& moved, Time now);
  void on_mapping(const Endpoint& mapped, Time now);
  void ask_for_introduction(Time now);
  void update_candidates(Time now);
  void update_reachability();
  void arm();
  void perform(const ViewingActions& actions);
  void perform(const nat::PresenceActions& actions, Time now);
  void perform(const nat::RelayActions& actions, Time now);
  void update_relay_policy(Time now);
  void on_relays(const signalling::RelayAccess& access, Time now);
  void connect_relay(const nat::RelayConnect& connect, Time now);
  void on_relay_changed(Time now);
  void on_behind_relay(const Endpoint& from, Bytes datagram, Time now);
  void hand_over(RequestId request, ChannelId channel);
  void remember();

  struct Networks {
    std::vector<linux::Interface> interfaces;
    linux::DefaultRoutes routes;
    friend bool operator==(const Networks&, const Networks&) = default;
  };

  Parts parts_;
  Networks networks_;  // the own interface left out
  secure::DtlsContext dtls_;
  secure::OpenSslCrypto crypto_;
  secure::OpenSslOldHashes old_hashes_;
  secure::OpenSslRandom random_;
  std::optional<BoxRecord> box_;
  std::uint64_t channels_revision_ = 0;

  std::optional<LinkContext> context_;
  std::optional<BoxLink> link_;
  std::optional<Introducer> introducer_;
  std::optional<HostNames> names_;
  std::optional<LanAsker> lan_;
  nat::Presence presence_;
  std::optional<Endpoint> last_mapped_;
  http::RelayFinder relay_finder_;
  Relay relay_;
  std::unique_ptr<http::SignallingLink> signalling_;

  Viewing viewing_;
  std::map<RequestId, http::Responder> requests_;
  std::int64_t last_request_ = 0;
  std::int64_t last_peer_ = 0;
  std::unique_ptr<const Statistics> statistics_;
  std::map<FlowKey, std::string> narrow_;

  DataPlane plane_;
  std::optional<runtime::ReadableWatch> plane_watch_;
  std::optional<runtime::ReadableWatch> tun_watch_;
  std::optional<linux::InterfaceMonitor> monitor_;
  std::optional<runtime::ReadableWatch> monitor_watch_;
  std::optional<runtime::MachineTimer> timer_;
  // Events of the rendezvous come later than this client is gone only if it is asked here.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // shared with callbacks in flight
};

}  // namespace hearthcast::away
