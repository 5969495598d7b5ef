// Plays the service manager of hearthcast-netd.socket: one helper for each connection, which says yes to
// everything and writes down what it was asked.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/netd_protocol.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::netd {

class ServiceManager {
 public:
  using Asked = std::vector<linux::NetdRequest>;

  ServiceManager() : folder_((std::filesystem::temp_directory_path() / "netd-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) {
      throw std::runtime_error("no folder for the socket");
    }
  }
  ~ServiceManager() {
    stop();
    std::filesystem::remove_all(folder_);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  [[nodiscard]] std::string path() const { return folder_ + "/netd.sock"; }

  void start() {
    listening_ = linux::Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_.get(), 4) != 0) {
      throw std::runtime_error("cannot listen on " + path());
    }
    thread_ = std::thread([this] { serve(); });
  }

  // The helper dies; nobody removes anything, as after SIGKILL.
  void kill_helper() {
    const std::lock_guard lock(mutex_);
    ::shutdown(helper_, SHUT_RDWR);
  }

  void stop() {
    if (thread_.joinable()) {
      {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        ::shutdown(listening_.get(), SHUT_RDWR);
        ::shutdown(helper_, SHUT_RDWR);
      }
      thread_.join();
      stopping_ = false;
      std::filesystem::remove(path());
    }
  }

  // What each helper was asked, the oldest first.
  [[nodiscard]] std::vector<Asked> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve() {
    for (;;) {
      const linux::Fd helper(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      {
        const std::lock_guard lock(mutex_);
        if (!helper || stopping_) {
          return;
        }
        helper_ = helper.get();
        asked_.emplace_back();
      }
      while (answer(helper.get())) {
      }
      const std::lock_guard lock(mutex_);
      helper_ = -1;
    }
  }

  bool answer(int helper) {
    std::array<std::uint8_t, 64> room{};
    const auto message = linux::receive_message(helper, room);
    const auto request = linux::decode_netd_request(Bytes(room).first(message.size));
    if (!request) {
      return false;
    }
    {
      const std::lock_guard lock(mutex_);
      asked_.back().push_back(*request);
    }
    return linux::send_message(helper, encode(linux::NetdReply{request->operation, 0, 20}));
  }

  std::string folder_;
  linux::Fd listening_;
  std::thread thread_;
  std::mutex mutex_;  // over all that follows
  int helper_ = -1;
  bool stopping_ = false;
  std::vector<Asked> asked_;
};

}  // namespace hearthcast::netd
