#include "tunnelmgr/http/client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "tunnelmgr/http/dial.hpp"

namespace hearthcast::http {
namespace {

namespace beast = boost::beast;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

beast::http::request<beast::http::string_body> message_of(ClientRequest& request) {
  beast::http::request<beast::http::string_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.to.url.target);
  message.set(beast::http::field::host,
              request.to.unix_path.empty() ? request.to.url.authority() : std::string("localhost"));
  for (const auto& [name, value] : request.headers.entries()) {
    message.insert(name, value);
  }
  message.keep_alive(false);
  message.body() = std::move(request.body);
  message.prepare_payload();
  return message;
}

asio::awaitable<Result<Response, ClientFailure>> exchange(std::shared_ptr<Dial> dial, ClientRequest request) {
  const std::optional<std::string> failed_to_open = co_await dial->open();
  Result<Response, ClientFailure> result = ClientFailure{failed_to_open.value_or(""), false};
  if (failed_to_open) {
    co_return result;
  }
  auto message = message_of(request);
  boost::system::error_code failed;
  {
    const auto [error, count] = co_await beast::http::async_write(dial->stream(), message, kTuple);
    failed = error;
  }
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.skip(request.method == "HEAD");
  parser.body_limit(request.max_body);
  // Read even after a failed write: a server that refuses a large body answers before it has read all of it.
  const auto [error, count] = co_await beast::http::async_read(dial->stream(), buffer, parser, kTuple);
  if (error) {
    result = ClientFailure{"the answer did not arrive: " + (failed ? failed : error).message(), true};
    co_return result;
  }
  Response response{static_cast<int>(parser.get().result_int()), {}, std::move(parser.get().body())};
  for (const auto& field : parser.get()) {
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  result = std::move(response);
  co_return result;
}

asio::awaitable<void> run(std::shared_ptr<Dial> dial, ClientRequest request, ClientHandler done) {
  const auto timeout = request.timeout;
  dial->limit(timeout);
  auto result = co_await exchange(dial, std::move(request));
  dial->unlimit();
  if (!result && dial->timed_out()) {
    result = ClientFailure{"no answer in time", result.error().connected};
  }
  done(std::move(result));
}

}  // namespace

void request(asio::io_context& io, ClientRequest request, ClientHandler done) {
  auto dial = std::make_shared<Dial>(io, request.to);
  asio::co_spawn(
      io,
      [dial = std::move(dial), request = std::move(request), done = std::move(done)]() mutable {
        return run(std::move(dial), std::move(request), std::move(done));
      },
      asio::detached);
}

Result<Response, ClientFailure> request_and_wait(ClientRequest to_send) {
  asio::io_context io;
  Result<Response, ClientFailure> result = ClientFailure{"no answer", false};
  request(io, std::move(to_send), [&](Result<Response, ClientFailure> got) { result = std::move(got); });
  io.run();
  return result;
}

}  // namespace hearthcast::http
