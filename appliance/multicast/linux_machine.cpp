#include "appliance/multicast/linux_machine.hpp"

#include "tunnelmgr/linux/link_socket.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"

namespace hearthcast::multicast {
namespace {

class LinuxLink final : public Link {
 public:
  LinuxLink(boost::asio::io_context& loop, linux::LinkSocket opened, std::function<void(Time)> on_readable)
      : socket(std::move(opened)),
        watch_(loop, socket.fd(), [on_readable = std::move(on_readable)] { on_readable(Clock::now()); }) {}

  std::optional<Bytes> receive() override { return socket.receive(); }
  bool gone() const override { return socket.gone(); }
  void hear_own_groups_only() override { socket.hear_own_groups_only(); }
  Result<void, Failure> send(Bytes ip_packet) override { return socket.send(ip_packet); }
  std::uint64_t overflow() override { return socket.overflow(); }

  linux::LinkSocket socket;

 private:
  runtime::ReadableWatch watch_;  // goes before the socket
};

class LinuxTable final : public Table {
 public:
  LinuxTable(boost::asio::io_context& loop, linux::MulticastRouting opened,
             std::function<void(Time)> on_readable)
      : routing_(std::move(opened)),
        watch_(loop, routing_.fd(), [on_readable = std::move(on_readable)] { on_readable(Clock::now()); }) {}

  Result<void, Failure> add_interface(unsigned index) override { return routing_.add_interface(index); }
  void remove_interface(unsigned index) override { routing_.remove_interface(index); }
  Result<void, Failure> set_route(const linux::Route& route) override { return routing_.set_route(route); }
  void remove_route(const linux::RouteKey& key) override { routing_.remove_route(key); }
  std::optional<linux::RouteUpcall> read() override { return routing_.read(); }
  std::optional<linux::RouteCounters> counters(const linux::RouteKey& key) const override {
    return routing_.counters(key);
  }
  std::optional<linux::InterfaceCounters> counters(unsigned index) const override {
    return routing_.counters(index);
  }

 private:
  linux::MulticastRouting routing_;
  runtime::ReadableWatch watch_;
};

class LinuxMemberships final : public Memberships {
 public:
  explicit LinuxMemberships(linux::NetdClient& netd) : joined_(netd) {}
  Answer set(unsigned index, const IpAddress& group, const SourceFilter& filter) override {
    return joined_.set(index, group, filter);
  }
  void forget(unsigned index) override { joined_.forget(index); }
  SourceFilter joined(unsigned index, const IpAddress& group) const override {
    return joined_.joined(index, group);
  }
  Result<std::size_t, Failure> report_again(Link& link, const ReportAs& as) override {
    return joined_.report_again(static_cast<LinuxLink&>(link).socket, as);  // this machine made it
  }

 private:
  linux::UpstreamMemberships joined_;
};

}  // namespace

LinuxMachine::LinuxMachine(boost::asio::io_context& loop, linux::NetdClient& netd,
                           std::function<void(Time)> on_deadline)
    : loop_(loop),
      netd_(netd),
      memberships_(std::make_unique<LinuxMemberships>(netd)),
      timer_(loop, std::move(on_deadline)) {}

LinuxMachine::~LinuxMachine() = default;

Result<std::unique_ptr<Link>, Failure> LinuxMachine::open_link(unsigned index,
                                                               std::function<void(Time)> on_readable) {
  auto opened = linux::LinkSocket::open(index, netd_);
  if (!opened) {
    return opened.error();
  }
  return std::unique_ptr<Link>(
      std::make_unique<LinuxLink>(loop_, std::move(*opened), std::move(on_readable)));
}

Result<std::unique_ptr<Table>, Failure> LinuxMachine::open_table(Family family, std::uint32_t number,
                                                                 std::function<void(Time)> on_readable) {
  auto opened = linux::MulticastRouting::open(family, number, netd_);
  if (!opened) {
    return opened.error();
  }
  return std::unique_ptr<Table>(
      std::make_unique<LinuxTable>(loop_, std::move(*opened), std::move(on_readable)));
}

Memberships& LinuxMachine::memberships() { return *memberships_; }

}  // namespace hearthcast::multicast
