// What a program asks of its privileged helper. Without one each call is tried with the program's own
// privilege, and the program works on with what the machine allows it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/machine_setting.hpp"
#include "tunnelmgr/linux/tun_interface.hpp"

namespace hearthcast::linux {

class NetdOperations;
struct NetdRequest;
enum class NetdOperation : std::uint8_t;

// One thread. Every call waits for the helper's answer, a few microseconds, at most five seconds (after that
// the helper counts as gone, for good). A Failure names what was refused and what to do.
class NetdClient {
 public:
  NetdClient();  // no helper
  // Connected to a helper, or not yet. listening: the socket file where another one is had when this one has
  // gone; empty: nowhere.
  explicit NetdClient(Fd socket, std::string listening = {});
  NetdClient(NetdClient&&) noexcept;
  NetdClient& operator=(NetdClient&&) noexcept;
  ~NetdClient();  // the helper ends, and removes the rules that were added

  [[nodiscard]] bool has_helper() const { return static_cast<bool>(socket_); }
  [[nodiscard]] bool can_reconnect() const { return !listening_.empty(); }
  // Whether a helper is there; if it has gone, and another is had, it is handed the rules that were added.
  // Calls that find the helper gone look for another by themselves.
  bool look_after();

  // Gives the UDP socket a receive buffer for octets of packets: by the ordinary way if that is enough, by
  // own privilege, or by the helper. The Failure says what to set on the machine; the socket works all the
  // same.
  [[nodiscard]] Result<void, Failure> raise_receive_buffer(int socket, std::size_t octets);

  // The descriptors behind LinkSocket and MulticastRouting; see there.
  [[nodiscard]] Result<Fd, Failure> open_link_socket(unsigned interface_index);
  [[nodiscard]] Result<Fd, Failure> open_multicast_routing(Family family, std::uint32_t table);
  // The descriptor behind RawIpSocket; see there.
  [[nodiscard]] Result<Fd, Failure> open_raw_ip(Family family, std::uint8_t protocol);
  // Packets that come in by the interface are looked up in that table (ip mrule). Adding twice is fine. Rules
  // live as long as this client; removing works after the interface has gone, too.
  [[nodiscard]] Result<void, Failure> add_multicast_rule(Family family, std::uint32_t table,
                                                         unsigned interface_index);
  void remove_multicast_rule(Family family, std::uint32_t table, unsigned interface_index);

  // A TUN interface and its set-up: tun_interface.hpp says what is allowed. `tun` is its descriptor. The
  // interface lives as long as a descriptor of it, not as this client.
  [[nodiscard]] Result<OpenedTun, Failure> open_tun(unsigned mtu);
  [[nodiscard]] Result<void, Failure> add_tun_address(int tun, const IpAddress& address, unsigned length);
  [[nodiscard]] Result<void, Failure> remove_tun_address(int tun, const IpAddress& address, unsigned length);
  [[nodiscard]] Result<void, Failure> add_tun_route(int tun, const Prefix& to);
  [[nodiscard]] Result<void, Failure> remove_tun_route(int tun, const Prefix& to);

  [[nodiscard]] Result<std::uint32_t, Failure> read_setting(MachineSetting setting,
                                                            unsigned interface_index = 0);
  [[nodiscard]] Result<void, Failure> write_setting(MachineSetting setting, std::uint32_t value,
                                                    unsigned interface_index = 0);

 private:
  struct Outcome;
  [[nodiscard]] Result<void, Failure> change_tun(NetdOperation operation, int tun, const Prefix& what);
  [[nodiscard]] Outcome perform(const NetdRequest& request, int descriptor = -1);
  // nullopt: it gave no answer.
  [[nodiscard]] std::optional<Outcome> ask_helper(const NetdRequest& request, int descriptor);
  bool reconnect();

  Fd socket_;
  std::string listening_;
  std::set<std::tuple<Family, std::uint32_t, unsigned>> rules_;  // table and interface of each
  std::unique_ptr<NetdOperations> own_;                          // for when there is no helper
};

}  // namespace hearthcast::linux
