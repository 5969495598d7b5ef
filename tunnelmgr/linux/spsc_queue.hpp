// A bounded queue of T (default-constructible, movable) between two threads: one pushes, one pops; no lock,
// and a system call only when the reader sleeps.
//
// The reader watches fd() and, each time it is readable (and once at the start), calls consume().
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "tunnelmgr/linux/event_fd.hpp"

namespace hearthcast::linux {

template <class T>
class SpscQueue {
 public:
  // Holds capacity elements. All memory is taken here, except what T takes itself.
  explicit SpscQueue(std::size_t capacity) : slots_(capacity + 1) {}

  // The writer's. False when full: the caller decides what that costs, and value is untouched.
  [[nodiscard]] bool push(T&& value) {
    const std::size_t at = tail_.load(std::memory_order_relaxed);
    const std::size_t next = after(at);
    if (next == head_.load(std::memory_order_acquire)) {
      return false;
    }
    slots_[at] = std::move(value);
    tail_.store(next, std::memory_order_seq_cst);  // before the look at sleeping_, or a wake-up is lost
    if (sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false)) {
      event_.signal();
    }
    return true;
  }

  // The reader's.
  [[nodiscard]] std::optional<T> pop() {
    const std::size_t at = head_.load(std::memory_order_relaxed);
    if (at == tail_.load(std::memory_order_seq_cst)) {
      return std::nullopt;
    }
    std::optional<T> value(std::move(slots_[at]));
    slots_[at] = T{};  // what it owned is freed by the reader, not when the slot is used again
    head_.store(after(at), std::memory_order_release);
    return value;
  }

  // The reader's: hands what waits to take(T), then leaves the queue so that fd() is readable when there is
  // more. Takes at most a full queue at a time: a busy writer must not keep the reader from its other work.
  template <class Take>
  void consume(Take&& take) {
    event_.drain();
    for (std::size_t taken = 0; taken < slots_.size(); ++taken) {
      auto value = pop();
      if (value) {
        take(std::move(*value));
        continue;
      }
      sleeping_.store(true, std::memory_order_seq_cst);
      if (empty()) {
        return;
      }
      sleeping_.store(false, std::memory_order_seq_cst);  // something came in between
    }
    event_.signal();
  }

  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_seq_cst) == tail_.load(std::memory_order_seq_cst);
  }
  // The writer's: how many wait, or did a moment ago, since the reader may have taken some.
  [[nodiscard]] std::size_t waiting() const {
    const std::size_t head = head_.load(std::memory_order_acquire);
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    return tail >= head ? tail - head : tail + slots_.size() - head;
  }
  [[nodiscard]] int fd() const { return event_.fd(); }

 private:
  [[nodiscard]] std::size_t after(std::size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }

  std::vector<T> slots_;
  EventFd event_;
  alignas(64) std::atomic<std::size_t> head_{0};  // apart, so that the two threads share no cache line
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<bool> sleeping_{true};
};

}  // namespace hearthcast::linux
