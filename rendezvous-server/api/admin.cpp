#include "rendezvous-server/api/admin.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::rendezvous {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kDay = std::int64_t{24} * 3600;
constexpr std::int64_t kMostDays = 3660;
constexpr std::int64_t kMostUses = 1'000'000;
constexpr std::uint64_t kLongestDrain = 3600;  // seconds
constexpr std::size_t kTokenSymbols = 26;      // 130 bits

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::optional<std::uint64_t> number_member(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_unsigned() ? std::optional(at->get<std::uint64_t>())
                                                        : std::nullopt;
}

std::string text(const std::string& words) { return dump(Json{{"text", words}}); }

Json name_of(const Directory& directory, const std::optional<OwnerId>& owner) {
  const OwnerRecord* const record = owner ? directory.find(*owner) : nullptr;
  return record == nullptr ? Json(nullptr) : Json(record->name);
}

Json number_or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

}  // namespace

struct Admin::Asked {
  Json body;
  [[nodiscard]] std::string text(const char* name) const {
    const auto at = body.find(name);
    return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
  }
  // A number from 1 to most, or none where there is none. False for anything else.
  [[nodiscard]] bool limit(const char* name, std::int64_t most, std::optional<std::int64_t>& into) const {
    if (!body.contains(name)) {
      return true;
    }
    const auto number = number_member(body, name);
    if (!number || *number < 1 || *number > static_cast<std::uint64_t>(most)) {
      return false;
    }
    into = static_cast<std::int64_t>(*number);
    return true;
  }
};

struct Admin::Outcome {
  Result<Change, Failure> change = Failure{""};
  std::string said = text("Done.");              // the answer, when it is done
  std::optional<IdentityId> box = std::nullopt;  // whose record changed
  Actions actions = {};
};

Admin::Admin(Service& service, const Crypto& crypto, Random& random, std::function<std::int64_t()> unix_time,
             std::function<void(Actions)> perform, std::function<ListKeeper*()> keeper)
    : service_(service),
      crypto_(crypto),
      random_(random),
      unix_time_(std::move(unix_time)),
      perform_(std::move(perform)),
      keeper_(std::move(keeper)) {}

bool Admin::answer(const http::Request& request, const http::Responder& responder) {
  const bool reads = request.method == "GET";
  if (reads && request.path == "/boxes") {
    responder.send(http::Response::json(200, list_boxes()));
  } else if (reads && request.path == "/owners") {
    responder.send(http::Response::json(200, list_owners()));
  } else if (reads && request.path == "/tokens") {
    responder.send(http::Response::json(200, list_tokens()));
  } else if (request.method == "POST" && request.path == "/backup") {
    back_up(responder);
  } else if (request.method == "POST") {
    auto body = Json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
    if (!body.is_object()) {
      responder.send(http::Response::json(400, text("The request is not a JSON object.")));
    } else {
      finish(change(request.path, Asked{std::move(body)}), responder);
    }
  } else {
    return false;
  }
  return true;
}

Admin::Outcome Admin::change(const std::string& path, const Asked& asked) {
  const std::size_t slash = path.find('/', 1);
  const std::string subject = path.substr(0, slash);
  const std::string what = slash == std::string::npos ? "" : path.substr(slash + 1);
  if (subject == "/boxes") {
    return boxes(what, asked);
  }
  if (subject == "/owners") {
    return owners(what, asked);
  }
  if (subject == "/tokens") {
    return tokens(what, asked);
  }
  if (path == "/drain") {
    return drain(asked);
  }
  if (path == "/resume") {
    service_.resume();
    return {Change{}, text("New clients are welcome again.")};
  }
  return {Failure{"there is no such operation"}};
}

Admin::Outcome Admin::boxes(const std::string& what, const Asked& asked) {
  Directory& directory = service_.directory();
  const auto box = directory.box_called(asked.text("box"));
  if (!box) {
    return {box.error()};
  }
  Outcome out;
  out.box = *box;
  if (what == "name") {
    out.change = directory.name_box(*box, asked.text("name"));
  } else if (what == "move") {
    std::optional<OwnerId> owner;
    if (const std::string name = asked.text("owner"); !name.empty()) {
      const auto found = directory.owner_called(name);
      if (!found) {
        return {found.error()};
      }
      owner = *found;
    }
    out.change = directory.move_box(*box, owner);
  } else if (what == "close") {
    out.change = directory.close_box(*box, asked.text("reason"), unix_time_());
  } else if (what == "open") {
    out.change = directory.open_box(*box);
  } else if (what == "forget") {
    out.change = directory.forget_box(*box);
  } else {
    out.change = Failure{"there is no such operation"};
  }
  return out;
}

Admin::Outcome Admin::owners(const std::string& what, const Asked& asked) {
  Directory& directory = service_.directory();
  if (what == "add") {
    return {directory.add_owner(asked.text("name"), unix_time_())};
  }
  const auto owner = directory.owner_called(asked.text("name"));
  if (!owner) {
    return {owner.error()};
  }
  return {what == "remove" ? directory.remove_owner(*owner) : Failure{"there is no such operation"}};
}

Admin::Outcome Admin::tokens(const std::string& what, const Asked& asked) {
  Directory& directory = service_.directory();
  if (what == "revoke") {
    const auto id = number_member(asked.body, "id").value_or(0);
    return {directory.revoke_token({static_cast<std::int64_t>(id)})};
  }
  if (what != "add") {
    return {Failure{"there is no such operation"}};
  }
  TokenRecord token;
  token.note = asked.text("note");
  token.created_at = unix_time_();
  std::optional<std::int64_t> days;
  if (!asked.limit("uses", kMostUses, token.uses_left) || !asked.limit("days", kMostDays, days)) {
    return {Failure{"a token has 1 to 1000000 uses and 1 to 3660 days"}};
  }
  if (days) {
    token.expires_at = token.created_at + *days * kDay;
  }
  if (const std::string name = asked.text("owner"); !name.empty()) {
    const auto owner = directory.owner_called(name);
    if (!owner) {
      return {owner.error()};
    }
    token.owner = *owner;
  }
  std::array<std::uint8_t, 17> secret{};
  random_.fill(secret);
  const std::string shown = to_crockford(secret, kTokenSymbols);
  token.hash = crypto_.sha256(as_bytes(shown));
  Outcome out{directory.add_token(std::move(token))};
  if (out.change) {
    out.said = dump(Json{{"token", shown}, {"id", out.change->tokens.front().id.value}});
  }
  return out;
}

Admin::Outcome Admin::drain(const Asked& asked) {
  const auto over = number_member(asked.body, "over_s");
  const auto retry = number_member(asked.body, "retry_s");
  if (!over || *over > kLongestDrain || !retry || *retry > signalling::kMaxRetry) {
    return {Failure{"draining takes 0 to 3600 seconds, and sends clients away for 0 to 3600"}};
  }
  Outcome out{Change{}, text("Clients are sent away; new ones are told to come back later.")};
  out.actions = service_.drain(std::chrono::seconds{*over}, static_cast<std::uint32_t>(*retry), Clock::now());
  return out;
}

void Admin::finish(Outcome outcome, const http::Responder& responder) {
  if (!outcome.change) {
    responder.send(http::Response::json(409, text(outcome.change.error().text)));
    return;
  }
  if (outcome.box) {
    outcome.actions = service_.on_box_changed(*outcome.box);
  }
  perform_(std::move(outcome.actions));
  ListKeeper* const keeper = keeper_();
  if (keeper == nullptr) {
    responder.send(http::Response::json(200, outcome.said));
    return;
  }
  keeper->keep(
      std::move(*outcome.change), [responder, said = outcome.said](const Result<void, Failure>& stored) {
        responder.send(stored ? http::Response::json(200, said)
                              : http::Response::json(507, text("It is in force, but could not be stored (" +
                                                               stored.error().text +
                                                               "); this is tried again every 30 seconds.")));
      });
}

void Admin::back_up(const http::Responder& responder) {
  ListKeeper* const keeper = keeper_();
  if (keeper == nullptr) {
    responder.send(http::Response::json(409, text("This rendezvous stores nothing.")));
    return;
  }
  keeper->back_up([responder](const Result<std::filesystem::path, Failure>& at) {
    responder.send(at ? http::Response::json(200, dump(Json{{"file", at->string()}}))
                      : http::Response::json(507, text(at.error().text)));
  });
}

std::string Admin::list_boxes() {
  Json list = Json::array();
  const Directory& directory = service_.directory();
  for (const auto& [id, box] : directory.boxes()) {
    const bool connected = service_.registry().has_box(id);
    list.push_back({{"box", id.to_string()},
                    {"name", box.name},
                    {"owner", name_of(directory, box.owner)},
                    {"state", box.closed  ? "closed"
                              : connected ? "connected"
                                          : "away"},
                    {"reason", box.closed ? Json(*box.closed) : Json(nullptr)},
                    {"enrolled_at", box.enrolled_at}});
  }
  return dump(Json{{"boxes", list}});
}

std::string Admin::list_owners() {
  Json list = Json::array();
  const Directory& directory = service_.directory();
  for (const auto& [id, owner] : directory.owners()) {
    std::size_t boxes = 0;
    for (const auto& [box, record] : directory.boxes()) {
      boxes += record.owner == id ? 1U : 0U;
    }
    list.push_back({{"name", owner.name}, {"boxes", boxes}, {"created_at", owner.created_at}});
  }
  return dump(Json{{"owners", list}});
}

std::string Admin::list_tokens() {
  Json list = Json::array();
  const Directory& directory = service_.directory();
  const std::int64_t now = unix_time_();
  for (const auto& [id, token] : directory.tokens()) {
    const bool expired = token.expires_at && now >= *token.expires_at;
    list.push_back({{"id", id.value},
                    {"note", token.note},
                    {"owner", name_of(directory, token.owner)},
                    {"state", expired                ? "expired"
                              : token.uses_left == 0 ? "used up"
                                                     : "good"},
                    {"uses_left", number_or_null(token.uses_left)},
                    {"expires_at", number_or_null(token.expires_at)},
                    {"created_at", token.created_at}});
  }
  return dump(Json{{"tokens", list}});
}

}  // namespace hearthcast::rendezvous
