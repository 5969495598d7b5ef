// The writing half of a connection: responses, streams, handing the socket over, upgrading to WebSocket.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/http/connection.hpp"
#include "tunnelmgr/http/websocket_session.hpp"

namespace hearthcast::http {

namespace beast = boost::beast;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

namespace {

template <class Message>
void copy_head(const Response& from, Message& to) {
  to.result(static_cast<unsigned>(from.status));
  for (const auto& [name, value] : from.headers.entries()) {
    to.insert(name, value);
  }
}

std::string chunk_of(std::string data, bool chunked) {
  if (!chunked) {
    return data;
  }
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

}  // namespace

asio::awaitable<bool> Connection::write(const Response& response, bool head_only, bool keep_alive,
                                        unsigned version) {
  set_deadline(server_->limits.write_timeout);
  const bool bodyless = response.status == 204 || response.status == 304 || response.status < 200;
  beast::http::response<beast::http::span_body<const char>> message;
  message.version(version);
  copy_head(response, message);
  message.keep_alive(keep_alive);
  if (!bodyless) {
    message.content_length(response.body.size());
  }
  if (!bodyless && !head_only) {
    message.body() = {response.body.data(), response.body.size()};
  }
  beast::http::response_serializer<beast::http::span_body<const char>> serializer(message);
  const auto [error, count] = co_await beast::http::async_write(stream_, serializer, kTuple);
  co_return !error;
}

asio::awaitable<bool> Connection::write_head(const Response& head, bool chunked) {
  set_deadline(server_->limits.write_timeout);
  beast::http::response<beast::http::empty_body> message;
  message.version(version_);
  copy_head(head, message);
  message.set(beast::http::field::connection, "close");
  message.chunked(chunked);
  beast::http::response_serializer<beast::http::empty_body> serializer(message);
  const auto [error, count] = co_await beast::http::async_write_header(stream_, serializer, kTuple);
  co_return !error;
}

asio::awaitable<void> Connection::refuse(int status, const char* text) {
  Response response =
      server_->limits.refusal ? server_->limits.refusal(status, text) : Response::text(status, text);
  if (status == 503) {
    response.headers.set("Retry-After", "5");
  }
  co_await refuse(std::move(response));
}

asio::awaitable<void> Connection::refuse(Response response) {
  ++server_->counters.bad;
  if (!co_await write(response, false, false, 11)) {
    co_return;
  }
  // What the client still sends is read and thrown away for a moment: closing at once would reset the
  // connection and could take the answer with it.
  stream_.shutdown_send();
  set_deadline(std::chrono::seconds{2});
  char sink[16384];
  constexpr std::size_t kThrownAway = std::size_t{16} << 20;
  for (std::size_t total = 0; total < kThrownAway;) {
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(sink), kTuple);
    if (error) {
      co_return;
    }
    total += count;
  }
}

asio::awaitable<void> Connection::feed(StreamAnswer answer, bool chunked) {
  const auto stream = answer.stream;
  stream->wake_ = [weak = weak_from_this(), wake = waker(), fed = stream.get()] {
    const auto self = weak.lock();
    if (self && fed->overrun_) {
      self->close();  // a write to it is stuck
    } else {
      wake();
    }
  };
  bool writable = co_await write_head(answer.head, chunked);
  asio::co_spawn(
      stream_.get_executor(), [self = shared_from_this(), stream] { return self->watch_for_close(stream); },
      asio::detached);
  while (writable && !closed_ && !stream->overrun_) {
    if (!stream->pending_.empty()) {
      set_deadline(server_->limits.write_timeout);
      const std::string chunk = chunk_of(std::exchange(stream->pending_, {}), chunked);
      const auto [error, count] = co_await asio::async_write(stream_, asio::buffer(chunk), kTuple);
      writable = !error;
    } else if (stream->closed_) {
      if (chunked) {
        set_deadline(server_->limits.write_timeout);
        co_await asio::async_write(stream_, asio::buffer("0\r\n\r\n", 5), kTuple);
      }
      break;
    } else {
      deadline_ = kNever;
      wake_.expires_at(kNever);
      co_await wake_.async_wait(kTuple);
    }
  }
  stream->finish();
}

// A client of a stream has nothing more to say: whatever is read, or an end, means that it left.
asio::awaitable<void> Connection::watch_for_close(std::shared_ptr<Stream> stream) {
  const auto self = shared_from_this();
  char octet[1];
  co_await stream_.async_read_some(asio::buffer(octet), kTuple);
  stream->close();
  close();
}

asio::awaitable<Connection::Next> Connection::hand_over(DetachAnswer answer) {
  if (!co_await write_head(answer.head, false)) {
    answer.done(Failure{"the client left before its answer began"});
    co_return Next::kClose;
  }
  boost::system::error_code error;
  const int fd = stream_.socket().release(error);
  if (error) {
    answer.done(Failure{"cannot hand the connection over: " + error.message()});
    co_return Next::kClose;
  }
  answer.done(fd);
  co_return Next::kGone;
}

asio::awaitable<void> Connection::upgrade(Request request, Parser& parser) {
  const auto handler = server_->websockets.find(request.path);
  if (handler == server_->websockets.end()) {
    co_await refuse(404, "There is no WebSocket here.\n");
    co_return;
  }
  const auto session = std::make_shared<WebSocketSession>(std::move(stream_), peer_);
  stream_ = AnyStream(AnyStream::Socket(server_->io));
  deadline_ = kNever;  // Beast's own timeouts rule from here
  stop_ = [session] { session->cut("the server stops"); };
  if (co_await session->accept(parser.get(), server_->limits.websocket_timeout)) {
    handler->second(request, session);
    co_await session->run();
  }
  stop_ = nullptr;
}

}  // namespace hearthcast::http
