// The meeting point of a handler's Responder and the connection that waits for the answer. Internal to http.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "tunnelmgr/http/responder.hpp"

namespace hearthcast::http {

struct StreamAnswer {
  Response head;
  std::shared_ptr<Stream> stream;  // shared with the handler that feeds it
};
struct DetachAnswer {
  Response head;
  Responder::DetachHandler done;
};
using Answer = std::variant<Response, StreamAnswer, DetachAnswer>;

class Exchange {
 public:
  Exchange(std::function<void()> wake, std::size_t stream_limit, bool may_detach)
      : wake_(std::move(wake)), stream_limit_(stream_limit), may_detach_(may_detach) {}

  [[nodiscard]] bool answered() const { return answered_; }
  [[nodiscard]] std::size_t stream_limit() const { return stream_limit_; }
  [[nodiscard]] bool may_detach() const { return may_detach_; }
  [[nodiscard]] bool abandoned() const { return !wake_; }

  void answer(Answer answer) {
    if (answered_) {
      return;
    }
    answered_ = true;
    answer_ = std::move(answer);
    if (wake_) {
      wake_();
    }
  }
  [[nodiscard]] std::optional<Answer> take() { return std::exchange(answer_, std::nullopt); }
  void abandon() { wake_ = nullptr; }  // the connection is gone; answers go nowhere

 private:
  std::function<void()> wake_;
  std::size_t stream_limit_;
  bool may_detach_;
  bool answered_ = false;
  std::optional<Answer> answer_;
};

}  // namespace hearthcast::http
