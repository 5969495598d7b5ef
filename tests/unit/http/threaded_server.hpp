// A server on a Unix socket with a thread of its own, for what blocks while it asks: command lines.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/unit/http/loopback.hpp"

namespace hearthcast::http {

// What a command said, and how it ended.
struct Said {
  int code = -1;
  std::string out;
  std::string err;
};
template <class Command>
Said run(Command command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.code = command();
  std::cout.flush();
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

class ThreadedServer {
 public:
  explicit ThreadedServer(std::filesystem::path at) : path(std::move(at)) {
    EXPECT_TRUE(server_.listen_unix(path.string()));
    thread_ = std::thread([this] { io_.run(); });
  }
  ~ThreadedServer() {
    boost::asio::post(io_, [this] {
      server_.stop();
      guard_.reset();
    });
    thread_.join();
  }
  ThreadedServer(const ThreadedServer&) = delete;
  ThreadedServer& operator=(const ThreadedServer&) = delete;

  // What it says from now on; nullopt: it closes the connection without a word.
  void says(std::optional<Response> response) {
    const std::lock_guard lock(mutex_);
    response_ = std::move(response);
  }
  // The last request.
  Request asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  const std::filesystem::path path;

 private:
  void handle(Request request, const Responder& responder) {
    const std::lock_guard lock(mutex_);
    asked_ = std::move(request);
    if (!response_) {
      throw std::runtime_error("says nothing");  // ends the connection
    }
    responder.send(*response_);
  }

  std::mutex mutex_;
  std::optional<Response> response_;
  Request asked_;
  QuietLog log_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_ =
      boost::asio::make_work_guard(io_);
  Server server_{io_, log_, [this](Request request, const Responder& responder) {
                   handle(std::move(request), responder);
                 }};
  std::thread thread_;
};

}  // namespace hearthcast::http
