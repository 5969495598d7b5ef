#include "tunnelmgr/linux/process_limits.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {
namespace {

struct LowLimit : testing::Test {
  LowLimit() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit low{std::min<rlim_t>(64, before_.rlim_max), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  }
  ~LowLimit() override { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

  static std::size_t sockets_of(std::size_t wished) {
    std::vector<Fd> open;
    while (open.size() < wished) {
      Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      if (!socket) {
        break;
      }
      open.push_back(std::move(socket));
    }
    return open.size();
  }

  rlimit before_{};
};

TEST_F(LowLimit, IsRaisedAsFarAsItGoes) {
  EXPECT_LT(sockets_of(100), 100U);
  EXPECT_EQ(raise_descriptor_limit(), before_.rlim_max);
  if (before_.rlim_max > 200) {
    EXPECT_EQ(sockets_of(100), 100U);
  }
  EXPECT_EQ(raise_descriptor_limit(), before_.rlim_max) << "once more changes nothing";
}

}  // namespace
}  // namespace hearthcast::linux
