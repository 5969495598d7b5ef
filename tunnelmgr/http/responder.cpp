#include "tunnelmgr/http/responder.hpp"

#include "tunnelmgr/http/exchange.hpp"

namespace hearthcast::http {

bool Stream::send(std::string_view chunk) {
  if (closed_) {
    return false;
  }
  if (pending_.size() + chunk.size() > limit_) {
    overrun_ = true;
    pending_.clear();
    close();
    return false;
  }
  pending_ += chunk;
  if (wake_) {
    wake_();
  }
  return true;
}

void Stream::close() {
  if (std::exchange(closed_, true)) {
    return;
  }
  if (wake_) {
    wake_();
  }
  if (const auto handler = std::exchange(closed_handler_, nullptr)) {
    handler();
  }
}

void Stream::finish() {
  wake_ = nullptr;
  pending_.clear();
  close();
}

void Stream::on_closed(std::function<void()> handler) {
  if (closed_) {
    handler();
  } else {
    closed_handler_ = std::move(handler);
  }
}

struct Responder::Token {
  explicit Token(std::shared_ptr<Exchange> e) : exchange(std::move(e)) {}
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() { exchange->answer(Response::text(500, "The request was dropped without an answer.\n")); }
  std::shared_ptr<Exchange> exchange;
};

Responder::Responder(std::shared_ptr<Exchange> exchange)
    : token_(std::make_shared<Token>(std::move(exchange))) {}

void Responder::send(Response response) const { token_->exchange->answer(std::move(response)); }

std::shared_ptr<Stream> Responder::stream(Response head) const {
  auto stream = std::make_shared<Stream>(token_->exchange->stream_limit());
  if (token_->exchange->answered() || token_->exchange->abandoned()) {
    stream->close();
  }
  token_->exchange->answer(StreamAnswer{std::move(head), stream});
  return stream;
}

void Responder::detach(Response head, DetachHandler done) const {
  Exchange& exchange = *token_->exchange;
  if (exchange.answered() || exchange.abandoned()) {
    done(Failure{"the connection is gone"});
  } else if (!exchange.may_detach()) {
    exchange.answer(Response::text(500, "This resource is served on plain HTTP only.\n"));
    done(Failure{"a TLS connection cannot be handed over"});
  } else {
    exchange.answer(DetachAnswer{std::move(head), std::move(done)});
  }
}

}  // namespace hearthcast::http
