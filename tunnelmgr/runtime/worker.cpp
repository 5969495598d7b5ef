#include "tunnelmgr/runtime/worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace hearthcast::runtime {
namespace asio = boost::asio;

struct Worker::State {
  using WorkGuard = asio::executor_work_guard<asio::io_context::executor_type>;
  struct Task {
    std::function<void()> job;
    std::function<void()> done;
    WorkGuard guard;  // the loop must not run dry while the job runs
  };

  explicit State(asio::io_context& io) : loop(io), thread([this] { run(); }) {}

  void run() {
    for (;;) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return stopping || !tasks.empty(); });
      if (tasks.empty()) {
        return;
      }
      Task task = std::move(tasks.front());
      tasks.pop_front();
      busy = true;
      lock.unlock();
      task.job();
      task.job = {};
      if (task.done) {
        asio::post(loop, std::move(task.done));
      }
      lock.lock();
      busy = false;
      moved_at = Clock::now();
    }
  }

  asio::io_context& loop;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> tasks;
  bool busy = false;
  bool stopping = false;
  Time moved_at{};     // when the job whose turn it is had its turn first
  std::thread thread;  // last: it uses all of the above
};

Worker::Worker(asio::io_context& loop) : state_(std::make_unique<State>(loop)) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

void Worker::run(std::function<void()> job, std::function<void()> done) {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->busy && state_->tasks.empty()) {
      state_->moved_at = Clock::now();
    }
    state_->tasks.push_back({std::move(job), std::move(done), asio::make_work_guard(state_->loop)});
  }
  state_->changed.notify_one();
}

bool Worker::alive(Time now) const {
  const std::lock_guard lock(state_->mutex);
  return (!state_->busy && state_->tasks.empty()) || now - state_->moved_at < kPatience;
}

}  // namespace hearthcast::runtime
