// One UDP port on every link of this machine, or on those links a group at that port: for protocols among
// neighbours. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/receive_batch.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::runtime {

class LinkPorts {
 public:
  struct Arrival {
    const linux::Interface& link;
    Endpoint from;
    Bytes payload;           // until the call returns
    bool neighbour = false;  // `from` lies in a network of that link
  };
  struct Options {
    std::uint16_t port = 0;  // 0: the kernel chooses, one for each link
    bool group = false;      // hears the group alone, else what is sent to this machine
    IpAddress group4{};      // also where send_to_groups() sends to
    IpAddress group6{};
  };
  LinkPorts(boost::asio::io_context& io, Log& log, Options options,
            std::function<void(const Arrival&)> on_datagram);
  ~LinkPorts();

  // The machine's links now, but for `without`; closes what is gone, opens what is new.
  void refresh(const std::vector<linux::Interface>& links, std::optional<unsigned> without = {});
  // On that link, of the destination's family; false when it has none or the kernel refuses.
  bool send(unsigned link, const Endpoint& to, Bytes payload);
  void send_to_groups(std::uint16_t port, Bytes payload);

 private:
  struct Port;
  struct Key {
    unsigned link = 0;
    Family family = Family::kIp4;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  void open(const Key& key);
  void on_readable(Key key, Port& port);

  boost::asio::io_context& io_;
  Log& log_;
  Options options_;
  std::function<void(const Arrival&)> on_datagram_;
  std::map<unsigned, linux::Interface> links_;
  linux::ReceiveBatch batch_;
  std::map<Key, std::unique_ptr<Port>> ports_;
};

// Whether an address lies in one of the networks of that interface; link-local IPv6 ones always do.
[[nodiscard]] bool is_neighbour(const linux::Interface& link, const IpAddress& address);

}  // namespace hearthcast::runtime
