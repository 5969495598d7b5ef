#include "tunnelmgr/away/commands.hpp"

#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::away {
namespace {

using Json = nlohmann::json;

// Prints why there is no answer; 0 when there is one.
int ask(const std::filesystem::path& socket, const std::string& method, const std::string& path,
        const std::string& body, Json& answer) {
  http::ClientRequest request;
  request.to.unix_path = socket.string();
  request.to.url.target = path;
  request.method = method;
  request.body = body;
  request.timeout = std::chrono::seconds(60);
  if (!body.empty()) {
    request.headers.set("Content-Type", "application/json");
  }
  const auto response = http::request_and_wait(std::move(request));
  if (!response) {
    if (response.error().connected) {
      std::cerr << "hearthcast-away: the client that runs gave no answer: " << response.error().text << "\n";
      return runtime::kFailed;
    }
    std::cerr << "hearthcast-away: no client answers at " << socket.string() << ": " << response.error().text
              << "\nStart it with: hearthcast-away run\n";
    return runtime::kNotRunning;
  }
  answer = Json::parse(response->body, nullptr, false);
  if (response->status == 200 && !answer.is_discarded()) {
    return runtime::kFine;
  }
  std::cerr << "hearthcast-away: "
            << (answer.is_object() ? answer.value("text", response->body) : response->body) << "\n";
  return response->status >= 500 ? runtime::kFailed : runtime::kRefused;
}

}  // namespace

int ask_status(const std::filesystem::path& socket, bool json) {
  Json status;
  if (const int code = ask(socket, "GET", "/status", "", status); code != runtime::kFine) {
    return code;
  }
  if (json) {
    std::cout << status.dump() << "\n";
    return runtime::kFine;
  }
  std::cout << status.value("text", "") << "\n";
  if (status.contains("path")) {
    const auto& path = status["path"];
    std::cout << "path: " << path.value("endpoint", "") << " (" << path.value("type", "direct") << ")\n";
  }
  if (const auto form = status.value("encapsulation", Json::object()); form.contains("text")) {
    std::cout << "in DTLS: " << form.value("text", "") << "\n";
  }
  std::cout << "rendezvous: " << status.value("rendezvous", "")
            << "\nrelay: " << status.value("relay", Json::object()).value("text", "not known")
            << "\nchannels: " << status.value("channels", 0) << "\n";
  for (const auto& stream : status["streams"]) {
    const auto number = [&](const char* name) { return stream.value(name, std::uint64_t{0}); };
    std::cout << "channel " << number("channel") << ": " << number("players") << " players, "
              << number("bits_per_second") / 1000 << " kbit/s, " << number("packets") << " packets, ";
    if (const auto form = stream.value("form", ""); form == "6in4" || form == "ayiya") {
      std::cout << "without numbers: what is lost is not known\n";
      continue;
    }
    std::cout << number("repaired") << " repaired, " << number("lost") << " lost; waits up to "
              << number("delay_ms") << " ms for a repair\n";
  }
  for (const auto& narrow : status.value("narrow", Json::array())) {
    std::cout << narrow.value("address", "") << ": " << narrow.value("text", "") << "\n";
  }
  if (status.contains("tun")) {
    const auto& tun = status["tun"];
    std::cout << "interface " << tun.value("interface", "") << ":";
    for (const auto& address : tun["addresses"]) {
      std::cout << " " << address.get<std::string>();
    }
    std::cout << "\n";
    for (const auto& host : tun.value("home_hosts", nlohmann::json::array())) {
      std::cout << "  at home " << host.value("host", "")
                << (host.value("reached", false) ? "" : ": not reached, since " + host.value("text", ""))
                << "\n";
    }
    for (const auto& group : tun["groups"]) {
      std::cout << "group " << (group.contains("source") ? group.value("source", "") + "@" : "")
                << group.value("group", "") << ": " << group.value("state", "")
                << (group.contains("text") ? ": " + group.value("text", "") : "") << "\n";
    }
  }
  return runtime::kFine;
}

int ask_channels(const std::filesystem::path& socket, bool json) {
  Json answer;
  if (const int code = ask(socket, "GET", "/channels", "", answer); code != runtime::kFine) {
    return code;
  }
  if (json) {
    std::cout << answer.dump() << "\n";
    return runtime::kFine;
  }
  for (const auto& channel : answer["channels"]) {
    std::cout << channel.value("id", std::int64_t{0}) << "\t" << channel.value("name", "") << "\t"
              << channel.value("address", "") << "\n";
  }
  if (answer["channels"].empty()) {
    std::cout << "No channels yet: the box's owner grants them.\n";
  }
  return runtime::kFine;
}

namespace {

int print_reach(const Json& answer, bool json) {
  if (json) {
    std::cout << answer.dump() << "\n";
    return runtime::kFine;
  }
  for (const auto& [member, label] :
       {std::pair("manual", "by hand:    "), std::pair("told", "told:       "),
        std::pair("reached", "reached:    "), std::pair("introduced", "introduced: ")}) {
    for (const auto& address : answer.value(member, Json::array())) {
      std::cout << label << address.get<std::string>() << "\n";
    }
  }
  std::cout << "rendezvous: " << answer.value("rendezvous", "none") << "\n";
  return runtime::kFine;
}

}  // namespace

int ask_reach(const std::filesystem::path& socket, const std::vector<std::string>& addresses, bool change,
              bool json) {
  Json answer;
  const std::string body =
      Json{{"addresses", addresses}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  const int code = ask(socket, change ? "POST" : "GET", "/reach", change ? body : "", answer);
  return code == runtime::kFine ? print_reach(answer, json) : code;
}

int ask_rendezvous(const std::filesystem::path& socket, const std::string& url, const std::string& pin,
                   bool json) {
  Json answer;
  const std::string body =
      Json{{"url", url}, {"pin", pin}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  const int code = ask(socket, "POST", "/rendezvous", body, answer);
  return code == runtime::kFine ? print_reach(answer, json) : code;
}

int ask_pair(const std::filesystem::path& socket, const PairArguments& arguments, bool json) {
  Json body{{"invitation", arguments.link}};
  if (!arguments.rendezvous.empty()) {
    body["rendezvous"] = arguments.rendezvous;
    body["pin"] = arguments.pin.empty() ? "webpki" : arguments.pin;
  }
  Json answer;
  if (const int code =
          ask(socket, "POST", "/pair", body.dump(-1, ' ', false, Json::error_handler_t::replace), answer);
      code != runtime::kFine) {
    return code;
  }
  if (json) {
    std::cout << answer.dump() << "\n";
    return runtime::kFine;
  }
  std::cout << "Paired with " << answer.value("box", "the box")
            << ". The owner approves this device there; both\n"
            << "screens then show the same sign: " << answer.value("fingerprint", "") << "\n";
  return runtime::kFine;
}

}  // namespace hearthcast::away
