// A completion handler of any type behind one: Asio's sockets and TLS are then instantiated once, in
// any_stream.cpp, and not for each of Beast's operations. Internal to http.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <utility>

namespace hearthcast::http {

// Called once; then the handler and its memory are gone before it runs, as Asio's operations promise.
template <class... Results>
class Completion {
 public:
  template <class Handler>
  explicit Completion(Handler handler) : held_(std::make_unique<Held<Handler>>(std::move(handler))) {}
  void operator()(const boost::system::error_code& error, Results... results) {
    std::exchange(held_, nullptr).release()->call_and_delete(error, results...);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void call_and_delete(const boost::system::error_code& error, Results... results) = 0;
  };
  template <class Handler>
  struct Held final : Base {
    explicit Held(Handler h) : handler(std::move(h)) {}
    void call_and_delete(const boost::system::error_code& error, Results... results) override {
      Handler last = std::move(handler);
      delete this;
      std::move(last)(error, results...);
    }
    Handler handler;
  };
  std::unique_ptr<Base> held_;
};

}  // namespace hearthcast::http
