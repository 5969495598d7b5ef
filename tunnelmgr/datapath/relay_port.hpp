// The stream to this end's relay in the data thread's epoll loop: opened and closed as the control thread
// says, read, written, and what becomes of it told. Data thread only.
#pragma once

#include <optional>

#include "tunnelmgr/datapath/messages.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/datapath/relay_route.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::datapath {

class RelayPort {
 public:
  // Both outlive it. token: of its descriptor's events.
  RelayPort(linux::Epoll& epoll, RelayRoute& route, std::uint64_t token)
      : epoll_(epoll), route_(route), token_(token) {}

  void open(OpenRelayStream message);
  void set(const SetRelay& message);
  void on_event(const linux::Epoll::Event& event, PortReader& reader, PortSink& sink, Time now);
  // Once a turn, before the loop waits: asks the kernel for what is missing. What the control thread has to
  // know, if it changed.
  [[nodiscard]] std::optional<RelayStreamChanged> tend();

 private:
  void close();

  linux::Epoll& epoll_;
  RelayRoute& route_;
  std::uint64_t token_;
  std::uint64_t id_ = 0;
  bool open_told_ = false;
  bool writes_ = false;  // as the kernel was asked
  std::optional<RelayStreamChanged> refused_;
};

}  // namespace hearthcast::datapath
