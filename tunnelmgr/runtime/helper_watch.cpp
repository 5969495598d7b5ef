#include "tunnelmgr/runtime/helper_watch.hpp"

namespace hearthcast::runtime {

HelperWatch::HelperWatch(boost::asio::io_context& loop, linux::NetdClient& client, Log& log,
                         Duration interval)
    : client_(client),
      log_(log),
      interval_(interval),
      there_(client.has_helper()),
      timer_(loop, [this](Time now) { look(now); }) {
  if (client_.can_reconnect()) {
    timer_.arm(Clock::now() + interval_);
  }
}

void HelperWatch::stop() { timer_.arm(kNever); }

void HelperWatch::look(Time now) {
  const bool there = client_.look_after();
  if (there && !there_) {
    log_.info("helper_connected");
  } else if (!there && there_) {
    log_.warning("helper_gone",
                 {{"error", "hearthcast-netd does not answer; is hearthcast-netd.socket active?"}});
  }
  there_ = there;
  timer_.arm(now + interval_);
}

}  // namespace hearthcast::runtime
