#include "tunnelmgr/away/state.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "tunnelmgr/away/state_file.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/private_file.hpp"

namespace hearthcast::away {
namespace {

using Json = nlohmann::json;

constexpr const char* kBox = "box.json";
constexpr const char* kMemory = "memory.json";
constexpr const char* kChannels = "channels.json";

Result<void, Failure> write(const std::filesystem::path& file, std::string_view text) {
  return linux::write_private_file(file, as_bytes(text), linux::IfThere::kReplace);
}

Json to_json(const std::vector<Endpoint>& endpoints) {
  auto list = Json::array();
  for (const auto& endpoint : endpoints) {
    list.push_back(endpoint.to_string());
  }
  return list;
}

// These throw nlohmann's exceptions or std::invalid_argument; read_json() turns both into a Failure.
std::vector<Endpoint> endpoints_from(const Json& list) {
  std::vector<Endpoint> endpoints;
  for (const auto& text : list) {
    const auto endpoint = Endpoint::parse(text.get<std::string>());
    if (!endpoint) {
      throw std::invalid_argument("an address is malformed");
    }
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

Json to_json(const std::vector<tunnel::ReachAddress>& addresses) {
  auto list = Json::array();
  for (const auto& address : addresses) {
    list.push_back(address.to_string());
  }
  return list;
}

// A file of an earlier version has no such member.
std::vector<tunnel::ReachAddress> reach_from(const Json& object, const char* member) {
  std::vector<tunnel::ReachAddress> addresses;
  for (const auto& text : object.value(member, Json::array())) {
    const auto address = tunnel::ReachAddress::parse(text.get<std::string>());
    if (!address) {
      throw std::invalid_argument("an address is malformed");
    }
    addresses.push_back(*address);
  }
  return addresses;
}

BoxRecord box_from(const Json& object) {
  BoxRecord box;
  const auto key = from_base64url(object.at("public_key").get<std::string>());
  if (!key || key->empty()) {
    throw std::invalid_argument("the box's key is malformed");
  }
  box.public_key = *key;
  box.name = object.at("name").get<std::string>();
  box.addresses = endpoints_from(object.at("addresses"));
  box.manual = reach_from(object, "manual");
  if (object.contains("rendezvous")) {
    const auto& at = object.at("rendezvous");
    box.rendezvous = signalling::RendezvousAddress::parse(at.at("url").get<std::string>(),
                                                          at.at("pin").get<std::string>());
    if (!box.rendezvous) {
      throw std::invalid_argument("the address of the rendezvous is malformed");
    }
  }
  return box;
}

signalling::Freshness freshness_from(const Json& object) {
  return {object.at("generation").get<std::uint64_t>(), object.at("counter").get<std::uint64_t>()};
}

Json to_json(const signalling::Freshness& freshness) {
  return {{"generation", freshness.generation}, {"counter", freshness.counter}};
}

Memory memory_from(const Json& object) {
  Memory memory;
  memory.port = object.at("port").get<std::uint16_t>();
  memory.endpoints = endpoints_from(object.at("endpoints"));
  memory.candidates = endpoints_from(object.at("candidates"));
  memory.told = reach_from(object, "told");
  memory.own = freshness_from(object.at("own"));
  memory.box = freshness_from(object.at("box"));
  return memory;
}

template <class T, class From>
Result<std::optional<T>, Failure> read_json(const std::filesystem::path& file, From from) {
  const auto text = read_state_file(file);
  if (!text) {
    return text.error();
  }
  if (!*text) {
    return std::optional<T>();
  }
  try {
    return std::optional<T>(from(Json::parse(**text)));
  } catch (const std::exception& error) {
    return Failure{file.string() + " is damaged: " + error.what()};
  }
}

}  // namespace

void Memory::reached(const Endpoint& endpoint) {
  std::erase(endpoints, endpoint);
  endpoints.insert(endpoints.begin(), endpoint);
  endpoints.resize(std::min(endpoints.size(), kMaxEndpoints));
}

Result<void, Failure> StateFolder::prepare() const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error || (::chmod(folder_.c_str(), 0700) != 0 && errno != EPERM)) {
    return Failure{"cannot make the state folder " + folder_.string() + ": " +
                   (error ? error.message() : "its mode cannot be set")};
  }
  return {};
}

Result<std::optional<BoxRecord>, Failure> StateFolder::load_box() const {
  return read_json<BoxRecord>(folder_ / kBox, box_from);
}

Result<std::optional<Memory>, Failure> StateFolder::load_memory() const {
  return read_json<Memory>(folder_ / kMemory, memory_from);
}

Result<std::optional<tunnel::ChannelList>, Failure> StateFolder::load_channels() const {
  const auto text = read_state_file(folder_ / kChannels);
  if (!text) {
    return text.error();
  }
  if (!*text) {
    return std::optional<tunnel::ChannelList>();
  }
  const auto message = tunnel::decode_control_message(as_bytes(**text), tunnel::Sender::kBox);
  if (!message || !std::holds_alternative<tunnel::ChannelList>(*message)) {
    return Failure{(folder_ / kChannels).string() + " is damaged"};
  }
  return std::optional(std::get<tunnel::ChannelList>(*message));
}

Result<void, Failure> StateFolder::save(const BoxRecord& box) const {
  Json object{{"public_key", to_base64url(box.public_key)},
              {"name", box.name},
              {"addresses", to_json(box.addresses)},
              {"manual", to_json(box.manual)}};
  if (box.rendezvous) {
    object["rendezvous"] = {{"url", box.rendezvous->url}, {"pin", box.rendezvous->pin_text()}};
  }
  return write(folder_ / kBox, object.dump(2, ' ', false, Json::error_handler_t::replace));
}

Result<void, Failure> StateFolder::save(const Memory& memory) const {
  const Json object{{"port", memory.port},
                    {"endpoints", to_json(memory.endpoints)},
                    {"candidates", to_json(memory.candidates)},
                    {"told", to_json(memory.told)},
                    {"own", to_json(memory.own)},
                    {"box", to_json(memory.box)}};
  return write(folder_ / kMemory, object.dump(2));
}

Result<void, Failure> StateFolder::save(const tunnel::ChannelList& channels) const {
  return write(folder_ / kChannels, as_text(tunnel::encode(channels)));
}

void StateFolder::forget_channels() const {
  std::error_code ignored;
  std::filesystem::remove(folder_ / kChannels, ignored);
}

}  // namespace hearthcast::away
