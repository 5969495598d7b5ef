// A file descriptor that is closed once: move-only.
#pragma once

#include <utility>

namespace hearthcast::linux {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}  // takes it over; negative means none
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }
  void close();  // a second call does nothing

 private:
  int number_ = -1;
};

}  // namespace hearthcast::linux
