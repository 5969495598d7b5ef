// The plane's machine as it is: Linux' sockets and tables, opened by own right or by the helper, watched by
// the control loop.
#pragma once

#include "appliance/multicast/machine.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::multicast {

class LinuxMachine final : public Machine {
 public:
  // loop and netd outlive it. on_deadline is called at the time that wake_at() asked for.
  LinuxMachine(boost::asio::io_context& loop, linux::NetdClient& netd,
               std::function<void(Time now)> on_deadline);
  ~LinuxMachine() override;

  [[nodiscard]] Result<std::unique_ptr<Link>, Failure> open_link(
      unsigned index, std::function<void(Time now)> on_readable) override;
  [[nodiscard]] Result<std::unique_ptr<Table>, Failure> open_table(
      Family family, std::uint32_t number, std::function<void(Time now)> on_readable) override;
  [[nodiscard]] Memberships& memberships() override;
  void wake_at(Time deadline) override { timer_.arm(deadline); }

 private:
  boost::asio::io_context& loop_;
  linux::NetdClient& netd_;
  std::unique_ptr<Memberships> memberships_;
  runtime::MachineTimer timer_;
};

}  // namespace hearthcast::multicast
