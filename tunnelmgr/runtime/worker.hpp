// One thread for whatever may take longer than a millisecond: store commits, password hashes, imports. Jobs
// run one after the other, in order; each one's completion runs on the control loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "tunnelmgr/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::runtime {

// All functions are for the control thread. Destroying waits until every job has run; completions that the
// loop has not run by then are dropped.
class Worker {
 public:
  // The longest that one job may take: a large import and a slow card need seconds.
  static constexpr std::chrono::seconds kPatience{30};

  explicit Worker(boost::asio::io_context& loop);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // job runs on the worker's thread, then done on the loop's. The loop has work as long as a job is on its
  // way. Neither may throw.
  void run(std::function<void()> job, std::function<void()> done = {});

  // The same for a job with a result: done(result).
  template <class Job, class Done>
  void submit(Job job, Done done) {
    using Value = std::invoke_result_t<Job>;
    // Shared by job and completion, one of which runs after the other.
    auto result = std::make_shared<std::optional<Value>>();
    auto work = std::make_shared<Job>(std::move(job));
    auto then = std::make_shared<Done>(std::move(done));
    run([result, work] { result->emplace((*work)()); }, [result, then] { (*then)(std::move(**result)); });
  }

  // For the watchdog: no job has been at work for kPatience, nor waited that long for a thread with no work.
  [[nodiscard]] bool alive(Time now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearthcast::runtime
