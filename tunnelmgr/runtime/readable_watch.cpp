#include "tunnelmgr/runtime/readable_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace hearthcast::runtime {
namespace asio = boost::asio;

struct ReadableWatch::State : std::enable_shared_from_this<State> {
  State(asio::io_context& loop, int fd, std::function<void()> action)
      : descriptor(loop, fd), on_readable(std::move(action)) {}

  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (error || !self->on_readable) {
                              return;
                            }
                            const auto action = self->on_readable;  // a copy: it may destroy the watch
                            action();
                            if (self->on_readable) {
                              self->wait();
                            }
                          });
  }

  asio::posix::stream_descriptor descriptor;
  std::function<void()> on_readable;
};

ReadableWatch::ReadableWatch(asio::io_context& loop, int fd, std::function<void()> on_readable)
    : state_(std::make_shared<State>(loop, fd, std::move(on_readable))) {
  state_->wait();
}

ReadableWatch::~ReadableWatch() {
  state_->on_readable = {};
  state_->descriptor.release();  // cancels the wait; the descriptor stays with its owner
}

}  // namespace hearthcast::runtime
