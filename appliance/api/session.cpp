#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"

namespace hearthcast::api {
namespace {

constexpr std::size_t kMinPassword = 10;                      // characters
constexpr std::size_t kMaxPassword = 256;                     // characters
constexpr std::size_t kMaxPasswordOctets = 4 * kMaxPassword;  // of UTF-8

std::optional<http::Response> throttled(const Call& call, Services& services) {
  const auto wait = services.password_tries.wait(call.request.peer.address, call.now);
  if (call.request.transport == http::Transport::kUnix || wait == std::chrono::seconds{0}) {
    return std::nullopt;
  }
  return too_many_attempts(wait);
}

TextMember password_member(const nlohmann::json& body, const char* name) {
  auto member = text_member(body, name, kMaxPasswordOctets);
  if (member.value && characters(*member.value) > kMaxPassword) {
    return {std::nullopt, invalid_field(name, "It is too long.")};
  }
  return member;
}

// NIST SP 800-63B: length is what counts, in characters.
std::optional<http::Response> weak(const std::string& password) {
  if (characters(password) >= kMinPassword) {
    return std::nullopt;
  }
  return respond({422, "weak_password", "The password is too short.",
                  "Take at least 10 characters; a few words in a row are good.", ""});
}

void keep_logins(const Call& call, Services& services) {
  services.household.remember_logins(services.logins.keep(call.now));
}

http::Response signed_in(int status, const Call& call, Services& services) {
  auto response = json_response(
      status, {{"signed_in", true}, {"expires_in_s", std::chrono::seconds(Logins::kIdleLimit).count()}});
  if (call.request.transport != http::Transport::kUnix) {
    response.headers.set("Set-Cookie", services.logins.sign_in(call.request.transport, call.now));
    keep_logins(call, services);
  }
  return response;
}

}  // namespace

http::Response set_up(const Call& call, Services& services) {
  const auto body = json_object(call.request);
  if (const auto* problem = std::get_if<http::Response>(&body)) {
    return *problem;
  }
  const auto code = text_member(std::get<nlohmann::json>(body), "setup_code", 64);
  const auto password = password_member(std::get<nlohmann::json>(body), "password");
  if (services.household.is_set_up()) {
    return respond(
        {409, "already_set_up", "This box is set up already.", "Sign in with the owner's password.", ""});
  }
  if (code.problem || password.problem) {
    return code.problem ? *code.problem : *password.problem;
  }
  if (auto wait = throttled(call, services)) {
    return *wait;
  }
  if (!services.household.is_setup_code(code.value.value_or(""))) {
    services.password_tries.failed(call.request.peer.address, call.now);
    return respond({403, "wrong_setup_code", "The set-up code is not right.",
                    "Run \"sudo hearthcast-box setup-code\" on the box, or look in its log.", ""});
  }
  if (auto problem = weak(password.value.value_or(""))) {
    return *problem;
  }
  if (auto done = services.household.set_password(*password.value); !done) {
    return refused(done.error());
  }
  services.password_tries.succeeded(call.request.peer.address);
  return signed_in(201, call, services);
}

http::Response get_setup_code(const Call&, Services& services) {
  if (services.household.is_set_up()) {
    return respond({409, "already_set_up", "This box is set up already.",
                    "Replace a forgotten password with \"sudo hearthcast-box password\".", ""});
  }
  return json_response(200, {{"setup_code", services.household.setup_code()}});
}

http::Response get_session(const Call& call, Services& services) {
  if (call.request.transport == http::Transport::kUnix) {
    return json_response(200, {{"signed_in", true}});
  }
  if (!services.logins.is_signed_in(call.request, call.now)) {
    return json_response(200, {{"signed_in", false}});
  }
  if (services.logins.is_due(call.now)) {
    keep_logins(call, services);
  }
  return json_response(200, {{"signed_in", true},
                             {"expires_in_s", services.logins.expires_in(call.request, call.now).count()}});
}

http::Response sign_in(const Call& call, Services& services) {
  const auto body = json_object(call.request);
  if (const auto* problem = std::get_if<http::Response>(&body)) {
    return *problem;
  }
  const auto password = password_member(std::get<nlohmann::json>(body), "password");
  if (password.problem) {
    return *password.problem;
  }
  if (!services.household.is_set_up()) {
    return respond(
        {409, "setup_needed", "This box is not set up yet.", "Set the owner's password first.", ""});
  }
  if (auto wait = throttled(call, services)) {
    return *wait;
  }
  if (!services.household.is_password(password.value.value_or(""))) {
    services.password_tries.failed(call.request.peer.address, call.now);
    return respond(
        {401, "wrong_password", "The password is not right.",
         "Try again. A forgotten one is replaced on the box with \"sudo hearthcast-box password\".", ""});
  }
  services.password_tries.succeeded(call.request.peer.address);
  return signed_in(200, call, services);
}

http::Response sign_out(const Call& call, Services& services) {
  services.logins.sign_out(call.request);
  keep_logins(call, services);
  http::Response response;
  response.status = 204;
  response.headers.set("Set-Cookie", Logins::clear_cookie(call.request.transport));
  return response;
}

http::Response change_password(const Call& call, Services& services) {
  const auto body = json_object(call.request);
  if (const auto* problem = std::get_if<http::Response>(&body)) {
    return *problem;
  }
  const auto current = password_member(std::get<nlohmann::json>(body), "current_password");
  const auto wanted = password_member(std::get<nlohmann::json>(body), "new_password");
  if (current.problem || wanted.problem) {
    return current.problem ? *current.problem : *wanted.problem;
  }
  if (auto wait = throttled(call, services)) {
    return *wait;
  }
  const bool local = call.request.transport == http::Transport::kUnix;
  if ((!local || current.value) && !services.household.is_password(current.value.value_or(""))) {
    services.password_tries.failed(call.request.peer.address, call.now);
    return respond({403, "wrong_password", "The present password is not right.", "Try again.", ""});
  }
  if (auto problem = weak(wanted.value.value_or(""))) {
    return *problem;
  }
  if (auto done = services.household.set_password(*wanted.value); !done) {
    return refused(done.error());
  }
  services.logins.sign_out_others(call.request);
  keep_logins(call, services);
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace hearthcast::api
