// Why a device may not watch: a code for programs (docs/protocol/tunnel.md) and words for the person before
// it.
#pragma once

#include <string>
#include <string_view>

namespace hearthcast::access {

enum class RefusalCode { kNotGranted, kPending, kRevoked, kUnknownChannel, kLimit, kNoSignal };

[[nodiscard]] constexpr std::string_view code_text(RefusalCode code) {
  switch (code) {
    case RefusalCode::kNotGranted:
      return "not_granted";
    case RefusalCode::kPending:
      return "pending";
    case RefusalCode::kRevoked:
      return "revoked";
    case RefusalCode::kUnknownChannel:
      return "unknown_channel";
    case RefusalCode::kLimit:
      return "limit";
    case RefusalCode::kNoSignal:
      return "no_signal";
  }
  return "unknown_channel";
}

struct Refusal {
  RefusalCode code;
  std::string text;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

}  // namespace hearthcast::access
