// One request: the first line is METHOD PATH, the second the media type, the rest the body. It is answered as
// from the control socket, where every handler is within reach, and as from a stranger, who gets no further
// than the checks.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "appliance/api/router.hpp"
#include "tests/unit/household/home.hpp"

namespace {

using namespace hearthcast;

struct Box : household::testing_home::Home {
  Box() {
    (void)household->set_password("correct horse battery");
    (void)add_channel("One", "239.1.1.1");
    const auto device = secure::make_identity();
    (void)pair(device);
  }
  api::Services services{*household, api::Logins(crypto, random), api::Throttle(), api::Throttle(60), {},
                         now};
};

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void check(const http::Response& response) {
  if (response.status < 200 || response.status > 599 || (response.status == 500)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Box box;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view first = take_line(rest);
  http::Request request;
  request.method = std::string(first.substr(0, first.find(' ')));
  request.target = std::string(first.substr(std::min(first.find(' ') + 1, first.size())));
  if (!http::split_target(request)) {
    return 0;  // the server has answered 400
  }
  request.headers = {
      {"Host", "192.0.2.1"}, {"X-Hearthcast", "1"}, {"Content-Type", std::string(take_line(rest))}};
  request.body = std::string(rest);
  request.transport = http::Transport::kUnix;
  box.now += std::chrono::hours{1};  // no limit of an earlier request
  check(api::answer(request, {}, box.now, box.services));
  request.transport = http::Transport::kHttps;
  check(api::answer(request, {}, box.now, box.services));
  // Bounded, whatever is imported in a long run.
  if (box.household->access().catalogue().channels().size() > 1000) {
    (void)box.household->remove_channel(box.household->access().catalogue().channels().front().id);
  }
  return 0;
}
