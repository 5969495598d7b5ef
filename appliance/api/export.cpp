#include "appliance/api/export.hpp"

#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/household/export.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/passphrase_seal.hpp"

namespace hearthcast::api {
namespace {

constexpr std::size_t kMaxPassphrase = 1024;  // characters

}  // namespace

http::Response export_box(const Call& call, Services& services) {
  const auto body = json_object(call.request);
  if (const auto* problem = std::get_if<http::Response>(&body)) {
    return *problem;
  }
  const auto passphrase = text_member(std::get<nlohmann::json>(body), "passphrase", 4 * kMaxPassphrase);
  if (passphrase.problem) {
    return *passphrase.problem;
  }
  const std::size_t length = characters(passphrase.value.value_or(""));
  if (length > kMaxPassphrase) {
    return invalid_field("passphrase", "It is too long.");
  }
  if (length < household::kLeastPassphrase) {
    return invalid_field(
        "passphrase", "Whoever finds the file can try passphrases at leisure: take at least " +
                          std::to_string(household::kLeastPassphrase) + " characters, better several words.");
  }
  const auto box = household::export_box(services.household);
  if (!box) {
    return respond({500, "internal", "The box cannot be exported now.", box.error().text, ""});
  }
  secure::OpenSslRandom random;
  const auto sealed = secure::seal_by_passphrase(store::encode(*box), *passphrase.value, random);
  if (!sealed) {
    return respond({503, "busy", "The box cannot be exported now.", sealed.error().text, ""});
  }
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.body = as_text(*sealed);
  return response;
}

}  // namespace hearthcast::api
