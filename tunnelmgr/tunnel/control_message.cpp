#include "tunnelmgr/tunnel/control_message.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace hearthcast::tunnel {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxChannels = 20000;
constexpr std::size_t kMaxAttributes = 64;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxCapabilities = 64;
constexpr std::size_t kMaxCapability = 64;  // octets
constexpr int kMaxDepth = 16;

template <class Code, std::size_t N>
using Words = std::array<std::pair<Code, const char*>, N>;

constexpr Words<DeviceState, 3> kStates{{{DeviceState::kApproved, "approved"},
                                         {DeviceState::kPending, "pending"},
                                         {DeviceState::kRevoked, "revoked"}}};
constexpr Words<RefusalCode, 7> kRefusals{{{RefusalCode::kNotGranted, "not_granted"},
                                           {RefusalCode::kPending, "pending"},
                                           {RefusalCode::kRevoked, "revoked"},
                                           {RefusalCode::kUnknownChannel, "unknown_channel"},
                                           {RefusalCode::kLimit, "limit"},
                                           {RefusalCode::kNoSignal, "no_signal"},
                                           {RefusalCode::kPath, "path"}}};
constexpr Words<NoticeCode, 3> kNotices{{{NoticeCode::kRevoked, "revoked"},
                                         {NoticeCode::kReplaced, "replaced"},
                                         {NoticeCode::kShutdown, "shutdown"}}};

template <class Code, std::size_t N>
const char* word(const Words<Code, N>& words, Code code) {
  for (const auto& [value, text] : words) {
    if (value == code) {
      return text;
    }
  }
  return "";
}

// Reads members of one object; the first that is missing, of another type or too large latches failed().
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::string text(const char* name, bool required = true) {
    const auto at = object_.find(name);
    if (at == object_.end()) {
      failed_ |= required;
      return {};
    }
    if (!at->is_string() || at->get_ref<const std::string&>().size() > kMaxText) {
      failed_ = true;
      return {};
    }
    return at->get<std::string>();
  }

  std::uint64_t number(const char* name, std::uint64_t largest, bool required = true) {
    const auto at = object_.find(name);
    if (at == object_.end()) {
      failed_ |= required;
      return 0;
    }
    if (!at->is_number_unsigned() || at->get<std::uint64_t>() > largest) {
      failed_ = true;
      return 0;
    }
    return at->get<std::uint64_t>();
  }

  bool flag(const char* name) {
    const auto at = object_.find(name);
    if (at == object_.end()) {
      return false;
    }
    failed_ |= !at->is_boolean();
    return at->is_boolean() && at->get<bool>();
  }

  IpAddress address(const char* name) {
    const auto parsed = IpAddress::parse(text(name));
    failed_ |= !parsed;
    return parsed.value_or(IpAddress{});
  }

  template <class Code, std::size_t N>
  Code code(const char* name, const Words<Code, N>& words) {
    const auto wanted = text(name);
    for (const auto& [value, spelling] : words) {
      if (wanted == spelling) {
        return value;
      }
    }
    failed_ = true;
    return words.front().first;
  }

  FlowKey flow() {
    FlowKey key;
    key.group = address("group");
    key.port = static_cast<std::uint16_t>(number("port", 65535));
    if (object_.contains("source")) {
      key.source = address("source");
      failed_ |= key.source->family() != key.group.family();
    }
    return key;
  }

  std::map<std::string, std::string> attributes(const char* name) {
    std::map<std::string, std::string> result;
    const auto at = object_.find(name);
    if (at == object_.end()) {
      return result;
    }
    if (!at->is_object() || at->size() > kMaxAttributes) {
      failed_ = true;
      return result;
    }
    Members inner(*at);
    for (const auto& [key, value] : at->items()) {
      result.emplace(key, inner.text(key.c_str()));
    }
    failed_ |= inner.failed_;
    return result;
  }

  Capabilities capabilities() {
    Capabilities words;
    const auto at = object_.find("capabilities");
    if (at == object_.end()) {
      return words;
    }
    if (!at->is_array() || at->size() > kMaxCapabilities) {
      failed_ = true;
      return words;
    }
    for (const auto& entry : *at) {
      if (!entry.is_string() || entry.get_ref<const std::string&>().size() > kMaxCapability) {
        failed_ = true;
        return words;
      }
      words.push_back(entry.get<std::string>());
    }
    return words;
  }

  std::optional<InnerAddresses> inner() {
    const auto at = object_.find("inner");
    if (at == object_.end()) {
      return std::nullopt;
    }
    if (!at->is_object()) {
      failed_ = true;
      return std::nullopt;
    }
    Members members(*at);
    const InnerAddresses all{members.address("ip6"), members.address("box_ip6"), members.address("ip4"),
                             members.address("box_ip4")};
    failed_ |= members.failed_ || !all.ip6.is_ip6() || !all.box_ip6.is_ip6() || !all.ip4.is_ip4() ||
               !all.box_ip4.is_ip4();
    for (const auto& address : {all.ip6, all.box_ip6, all.ip4, all.box_ip4}) {
      failed_ |= !address.is_private();
    }
    return all;
  }

  void fail() { failed_ = true; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  const Json& object_;
  bool failed_ = false;
};

void put_flow(Json& object, const FlowKey& flow) {
  object["group"] = flow.group.to_string();
  object["port"] = flow.port;
  if (flow.source) {
    object["source"] = flow.source->to_string();
  }
}

void put_capabilities(Json& object, const Capabilities& capabilities) {
  if (!capabilities.empty()) {
    object["capabilities"] = capabilities;
  }
}

// A side of before this knows GRE only, and the other one need not be told of that.
void put_encapsulation(Json& object, Form encapsulation) {
  if (encapsulation != Form::kGre) {
    object["encapsulation"] = to_string(encapsulation);
  }
}

Json to_json(const DeviceHello& m) {
  Json object{{"type", "hello"},
              {"version", m.version},
              {"software", m.software},
              {"name", m.name},
              {"channels_revision", m.channels_revision}};
  put_capabilities(object, m.capabilities);
  put_encapsulation(object, m.encapsulation);
  return object;
}

Json to_json(const BoxHello& m) {
  Json object{{"type", "hello"}, {"version", m.version},        {"software", m.software},
              {"name", m.name},  {"state", to_string(m.state)}, {"link_local", m.link_local.to_string()},
              {"text", m.text}};
  put_capabilities(object, m.capabilities);
  put_encapsulation(object, m.encapsulation);
  if (m.inner) {
    object["inner"] = {{"ip6", m.inner->ip6.to_string()},
                       {"box_ip6", m.inner->box_ip6.to_string()},
                       {"ip4", m.inner->ip4.to_string()},
                       {"box_ip4", m.inner->box_ip4.to_string()}};
  }
  return object;
}

Json to_json(const ChannelList& m) {
  auto channels = Json::array();
  for (const auto& channel : m.channels) {
    Json object{{"id", channel.id.value}, {"name", channel.name}, {"rtp", channel.rtp}};
    put_flow(object, channel.flow);
    if (!channel.attributes.empty()) {
      object["attributes"] = channel.attributes;
    }
    channels.push_back(std::move(object));
  }
  return {{"type", "channels"}, {"revision", m.revision}, {"channels", std::move(channels)}};
}

Json to_json(const Refusal& m) {
  Json object{{"type", "refusal"}, {"code", to_string(m.code)}, {"text", m.text}};
  put_flow(object, m.flow);
  return object;
}

Json to_json(const Notice& m) { return {{"type", "notice"}, {"code", to_string(m.code)}, {"text", m.text}}; }

Json to_json(const Ping& m) { return {{"type", "ping"}, {"nonce", m.nonce}}; }

Json to_json(const Congestion& m) {
  Json object{{"type", "congestion"}, {"arriving_bps", m.arriving_bps}, {"needed_bps", m.needed_bps}};
  put_flow(object, m.flow);
  return object;
}

Json to_json(const PathTold& m) { return {{"type", "path"}, {"relayed", m.relayed}}; }

ControlMessage read_hello(Members& in, Sender sender) {
  const auto version = static_cast<int>(in.number("version", 1000));
  auto software = in.text("software", false);
  auto name = in.text("name", false);
  auto capabilities = in.capabilities();
  // A word that is not known here is as good as none.
  const Form encapsulation = parse_form(in.text("encapsulation", false)).value_or(Form::kGre);
  if (sender == Sender::kDevice) {
    return DeviceHello{version,
                       std::move(software),
                       std::move(name),
                       in.number("channels_revision", UINT64_MAX, false),
                       std::move(capabilities),
                       encapsulation};
  }
  const auto state = in.code("state", kStates);
  const auto link_local = in.address("link_local");
  auto text = in.text("text", false);
  return BoxHello{version,         std::move(software),     std::move(name), state,        link_local,
                  std::move(text), std::move(capabilities), in.inner(),      encapsulation};
}

ControlMessage read_channels(Members& in, const Json& object) {
  ChannelList list;
  list.revision = in.number("revision", UINT64_MAX);
  const auto channels = object.find("channels");
  if (channels == object.end() || !channels->is_array() || channels->size() > kMaxChannels) {
    in.fail();
    return list;
  }
  list.channels.reserve(channels->size());
  for (const auto& entry : *channels) {
    if (!entry.is_object()) {
      in.fail();
      break;
    }
    Members member(entry);
    Channel channel;
    channel.id.value = static_cast<std::int64_t>(member.number("id", INT64_MAX));
    channel.name = member.text("name");
    channel.flow = member.flow();
    channel.rtp = member.flag("rtp");
    channel.attributes = member.attributes("attributes");
    if (member.failed() || !channel.flow.group.is_multicast() || channel.flow.port == 0) {
      in.fail();
      break;
    }
    list.channels.push_back(std::move(channel));
  }
  return list;
}

// Asked before the parser builds anything.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      at += c == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        return true;
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Buffer encode(const ControlMessage& message) {
  const auto text = std::visit([](const auto& m) { return to_json(m); }, message)
                        .dump(-1, ' ', false, Json::error_handler_t::replace);
  return {text.begin(), text.end()};
}

Result<ControlMessage> decode_control_message(Bytes body, Sender sender) {
  if (is_too_deep(as_text(body))) {
    return ParseError::kBadValue;
  }
  const auto object = Json::parse(body.begin(), body.end(), nullptr, false);
  if (!object.is_object()) {
    return ParseError::kBadValue;
  }
  Members in(object);
  const auto type = in.text("type");
  ControlMessage message;
  if (type == "hello") {
    message = read_hello(in, sender);
  } else if (type == "channels") {
    message = read_channels(in, object);
  } else if (type == "refusal") {
    const auto code = in.code("code", kRefusals);
    auto text = in.text("text", false);
    message = Refusal{code, std::move(text), in.flow()};
  } else if (type == "notice") {
    const auto code = in.code("code", kNotices);
    message = Notice{code, in.text("text", false)};
  } else if (type == "ping") {
    message = Ping{in.number("nonce", UINT64_MAX)};
  } else if (type == "congestion") {
    Congestion congestion;
    congestion.flow = in.flow();
    congestion.arriving_bps = in.number("arriving_bps", UINT64_MAX);
    congestion.needed_bps = in.number("needed_bps", UINT64_MAX);
    message = congestion;
  } else if (type == "path") {
    message = PathTold{in.text("relayed", false)};
  } else {
    return in.failed() ? ParseError::kBadValue : ParseError::kUnknownType;
  }
  if (in.failed()) {
    return ParseError::kBadValue;
  }
  return message;
}

const char* to_string(RefusalCode code) { return word(kRefusals, code); }
const char* to_string(DeviceState state) { return word(kStates, state); }
const char* to_string(NoticeCode code) { return word(kNotices, code); }

}  // namespace hearthcast::tunnel
