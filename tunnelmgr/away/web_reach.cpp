#include "tunnelmgr/away/web_reach.hpp"

#include <nlohmann/json.hpp>

namespace hearthcast::away {
namespace {

using http::Response;
using Json = nlohmann::json;

Response problem(int status, const std::string& code, const std::string& text) {
  return Response::json(
      status, Json{{"code", code}, {"text", text}}.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Response known(const Client& client) {
  const auto list = [](const auto& addresses) {
    auto texts = Json::array();
    for (const auto& address : addresses) {
      texts.push_back(address.to_string());
    }
    return texts;
  };
  const auto& memory = client.memory();
  const auto& box = client.box();
  Json answer{{"manual", list(box ? box->manual : std::vector<tunnel::ReachAddress>())},
              {"reached", list(memory.endpoints)},
              {"told", list(memory.told)},
              {"introduced", list(memory.candidates)}};
  if (box && box->rendezvous) {
    answer["rendezvous"] = box->rendezvous->url;
  }
  return Response::json(200, answer.dump());
}

Response set_addresses(Client& client, const Json& body) {
  const auto addresses = body.value("addresses", Json());
  if (!addresses.is_array() || addresses.size() > tunnel::kMaxReachAddresses) {
    return problem(400, "bad_request",
                   "Send addresses: a list of at most " + std::to_string(tunnel::kMaxReachAddresses) + ".");
  }
  std::vector<tunnel::ReachAddress> wanted;
  for (const auto& entry : addresses) {
    const std::string text = entry.is_string() ? entry.get<std::string>() : entry.dump();
    const auto address = tunnel::ReachAddress::parse(text);
    if (!address) {
      return problem(422, "bad_address",
                     "\"" + text +
                         "\" is no address: write HOST or HOST:PORT, as 198.51.100.2:4755, "
                         "[2001:db8::2]:4755 or home.example.net.");
    }
    wanted.push_back(*address);
  }
  const auto set = client.set_manual(std::move(wanted));
  return set ? known(client) : problem(409, "not_paired", set.error().text);
}

Response set_rendezvous(Client& client, const Json& body) {
  const auto url = body.value("url", Json());
  const auto pin = body.value("pin", Json("webpki"));
  const auto address =
      url.is_string() && pin.is_string()
          ? signalling::RendezvousAddress::parse(url.get<std::string>(), pin.get<std::string>())
          : std::nullopt;
  if (!address) {
    return problem(422, "bad_rendezvous",
                   "The rendezvous is wss://HOST[:PORT]/v1, its pin 64 hexadecimal digits or webpki.");
  }
  const auto set = client.set_rendezvous(*address);
  return set ? known(client) : problem(409, "not_paired", set.error().text);
}

}  // namespace

Response answer_reach(Client& client, const http::Request& request) {
  if (request.method == "GET" && request.path == "/reach") {
    return known(client);
  }
  const auto body = Json::parse(request.body, nullptr, false);
  if (request.method != "POST" || !body.is_object()) {
    return problem(400, "bad_request", "Send a JSON object by POST.");
  }
  return request.path == "/reach" ? set_addresses(client, body) : set_rendezvous(client, body);
}

std::vector<tunnel::ReachAddress> manual_of(const Client& client, Bytes public_key) {
  const auto& box = client.box();
  return box && equal(box->public_key, public_key) ? box->manual : std::vector<tunnel::ReachAddress>();
}

}  // namespace hearthcast::away
