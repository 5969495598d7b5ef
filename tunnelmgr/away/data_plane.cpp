#include "tunnelmgr/away/data_plane.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "tunnelmgr/away/loop.hpp"

namespace hearthcast::away {

struct DataPlane::Running {
  Running(linux::UdpSocket& socket, Log& log) : loop(socket, log) {}
  Loop loop;
  std::thread thread;
};

DataPlane::DataPlane(linux::UdpSocket& socket, Log& log) : running_(std::make_unique<Running>(socket, log)) {}

DataPlane::~DataPlane() { stop(); }

void DataPlane::start() {
  running_->thread = std::thread([loop = &running_->loop] { loop->run(); });
}

void DataPlane::stop() {
  if (!running_->thread.joinable()) {
    return;
  }
  while (!post(Stop{})) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // full: the thread is busy emptying it
  }
  running_->thread.join();
}

bool DataPlane::post(Down message) { return running_->loop.mailbox().post(std::move(message)); }

void DataPlane::consume(const std::function<void(Up)>& take) { running_->loop.mailbox().consume_up(take); }

bool DataPlane::alive() const { return running_->loop.alive(Clock::now()); }

int DataPlane::wake_fd() const { return running_->loop.mailbox().up_fd(); }

}  // namespace hearthcast::away
