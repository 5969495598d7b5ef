#include "tunnelmgr/http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace hearthcast::http {

namespace beast = boost::beast;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

Connection::Connection(std::shared_ptr<ServerState> server, AnyStream stream, Transport transport,
                       Endpoint peer, std::uint64_t id)
    : server_(std::move(server)),
      stream_(std::move(stream)),
      transport_(transport),
      peer_(peer),
      id_(id),
      buffer_(server_->limits.header_bytes + std::size_t{64} * 1024),
      wake_(stream_.get_executor()) {}

void Connection::start() {
  set_deadline(server_->limits.head_timeout);
  asio::co_spawn(
      stream_.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void Connection::close() {
  closed_ = true;
  deadline_ = kNever;
  wake_.cancel();
  stream_.close();
  if (stop_) {
    stop_();
  }
}

asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  try {
    co_await serve();
  } catch (const std::exception& e) {
    server_->log.error("http_connection_failed", {{"error", e.what()}});
  }
  hold_large_body(false);
  close();
  server_->forget(self);
}

asio::awaitable<bool> Connection::handshake() {
  if (!stream_.is_tls()) {
    co_return true;
  }
  Buffer read;
  if (server_->pass_on && co_await belongs_elsewhere(read)) {
    co_await carry(std::move(read));
    co_return false;
  }
  const auto [error, used] = co_await stream_.async_accept(read, kTuple);
  co_return !error;
}

asio::awaitable<void> Connection::serve() {
  if (!co_await handshake()) {
    co_return;
  }
  for (bool first = true; !closed_; first = false) {
    if (!first && buffer_.size() == 0) {  // wait for the next request without holding its memory
      set_deadline(server_->limits.idle_timeout);
      const auto [error, count] = co_await stream_.async_read_some(buffer_.prepare(4096), kTuple);
      if (error) {
        co_return;
      }
      buffer_.commit(count);
    }
    Parser parser;
    auto request = co_await read_request(parser);
    if (!request || closed_) {  // closed: a stopped server's handler may be gone
      co_return;
    }
    ++server_->counters.requests;
    if (beast::websocket::is_upgrade(parser.get())) {
      co_await upgrade(std::move(*request), parser);
      co_return;
    }
    const bool keep_alive = parser.get().keep_alive() && !server_->stopped;
    const Next next = co_await handle(std::move(*request), keep_alive);
    hold_large_body(false);
    if (next != Next::kKeep) {
      co_return;
    }
  }
}

asio::awaitable<std::optional<Request>> Connection::read_request(Parser& parser) {
  set_deadline(server_->limits.head_timeout);
  parser.header_limit(server_->limits.header_bytes);
  parser.body_limit(
      boost::none);  // the real limit is known after the head, and set below before the body is read
  {
    const auto [error, count] = co_await beast::http::async_read_header(stream_, buffer_, parser, kTuple);
    if (error) {
      if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
        co_await refuse(431, "The request's head is too long.\n");
      } else if (error.category() == make_error_code(beast::http::error::bad_version).category() &&
                 error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
        co_await refuse(400, "The request is malformed.\n");
      }
      co_return std::nullopt;
    }
  }
  version_ = parser.get().version();
  Request request = head_of(parser);
  if (!split_target(request)) {
    co_await refuse(400, "The request's target is malformed.\n");
    co_return std::nullopt;
  }
  const std::size_t limit =
      server_->limits.body_limit ? server_->limits.body_limit(request) : server_->limits.body_bytes;
  if (parser.content_length() && *parser.content_length() > limit) {
    co_await refuse(413, "The request's body is too large.\n");
    co_return std::nullopt;
  }
  // Without a length it may become as large as it may.
  if (parser.content_length().value_or(parser.chunked() ? limit : 0) > server_->limits.large_body) {
    if (auto refusal = server_->limits.refuse_large ? server_->limits.refuse_large(request) : std::nullopt) {
      co_await refuse(std::move(*refusal));
      co_return std::nullopt;
    }
    if (server_->large_bodies >= server_->limits.large_bodies) {
      co_await refuse(503, "Too many large requests at once. Try again in a moment.\n");
      co_return std::nullopt;
    }
    hold_large_body(true);
  }
  parser.body_limit(limit);
  if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [error, count] =
        co_await asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()), kTuple);
    if (error) {
      co_return std::nullopt;
    }
  }
  if (!parser.is_done()) {
    set_deadline(server_->limits.body_timeout);
    const auto [error, count] = co_await beast::http::async_read(stream_, buffer_, parser, kTuple);
    if (error == beast::http::error::body_limit) {
      co_await refuse(413, "The request's body is too large.\n");
    } else if (error && error != beast::http::error::partial_message && !closed_) {
      co_await refuse(400, "The request's body is malformed.\n");
    }
    if (error) {
      co_return std::nullopt;
    }
  }
  request.body = std::move(parser.get().body());
  co_return request;
}

void Connection::hold_large_body(bool hold) {
  server_->large_bodies += hold ? 1 : 0;
  server_->large_bodies -= holds_large_body_ ? 1 : 0;
  holds_large_body_ = hold;
}

Request Connection::head_of(const Parser& parser) const {
  Request request;
  request.method = std::string(parser.get().method_string());
  request.target = std::string(parser.get().target());
  for (const auto& field : parser.get()) {
    request.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  request.peer = peer_;
  request.transport = transport_;
  request.connection = id_;
  return request;
}

asio::awaitable<Connection::Next> Connection::handle(Request request, bool keep_alive) {
  const bool head_only = request.method == "HEAD";
  const auto exchange =
      std::make_shared<Exchange>(waker(), server_->limits.stream_queue_bytes, !stream_.is_tls());
  server_->handler(std::move(request), Responder(exchange));
  auto answer = co_await wait_for(exchange);
  exchange->abandon();
  if (!answer) {
    co_return Next::kClose;
  }
  if (auto* detach = std::get_if<DetachAnswer>(&*answer)) {
    co_return co_await hand_over(std::move(*detach));
  }
  if (auto* stream = std::get_if<StreamAnswer>(&*answer)) {
    const bool chunked = version_ >= 11;
    if (head_only) {
      co_await write_head(stream->head, chunked);
      stream->stream->finish();
    } else {
      co_await feed(std::move(*stream), chunked);
    }
    co_return Next::kClose;
  }
  const bool written = co_await write(std::get<Response>(*answer), head_only, keep_alive, version_);
  co_return written&& keep_alive ? Next::kKeep : Next::kClose;
}

// A handler or a stream may outlive the connection.
std::function<void()> Connection::waker() {
  return [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->wake_.cancel();
    }
  };
}

asio::awaitable<std::optional<Answer>> Connection::wait_for(std::shared_ptr<Exchange> exchange) {
  deadline_ = kNever;  // the handler's time, not the client's
  const Time give_up = Clock::now() + server_->limits.answer_timeout;
  while (!exchange->answered() && !closed_ && Clock::now() < give_up) {
    wake_.expires_at(give_up);
    co_await wake_.async_wait(kTuple);
  }
  if (closed_) {
    exchange->abandon();
    co_return std::nullopt;
  }
  if (!exchange->answered()) {
    exchange->answer(Response::text(504, "The request took too long.\n"));
  }
  std::optional<Answer> answer = exchange->take();
  co_return answer;
}

}  // namespace hearthcast::http
