// A player in tests: the far end of a connected socket.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "tests/unit/datapath/plane_in_test.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::datapath {

class Screen {
 public:
  Screen() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    far_ = linux::Fd(ends[0]);
    near_ = linux::Fd(ends[1]);
  }
  linux::Fd socket() { return std::move(near_); }  // for the program
  void close() { far_ = linux::Fd(); }
  void say() { EXPECT_EQ(::write(far_.get(), "x", 1), 1); }
  // What has come, without waiting.
  Buffer read_now() {
    Buffer all;
    for (Buffer part(65536); !ended_;) {
      const auto count = ::read(far_.get(), part.data(), part.size());
      ended_ = count == 0;
      if (count <= 0) {
        break;
      }
      all.insert(all.end(), part.begin(), part.begin() + count);
    }
    return all;
  }
  // Until size octets came, or the end.
  Buffer read(std::size_t size) {
    const Time end = Clock::now() + kPatience;
    Buffer all;
    while (all.size() < size && !ended_ && Clock::now() < end) {
      pollfd ready{far_.get(), POLLIN, 0};
      (void)::poll(&ready, 1, 100);
      const auto more = read_now();
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  bool ended() {
    (void)read(SIZE_MAX);
    return ended_;
  }

 private:
  linux::Fd far_;
  linux::Fd near_;
  bool ended_ = false;
};

}  // namespace hearthcast::datapath
