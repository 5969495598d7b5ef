// Links, codes and messages of pairing. The first octet chooses what the rest is.
#include "tunnelmgr/signalling/pairing.hpp"

namespace {

using namespace hearthcast;
using namespace hearthcast::signalling;

template <class Decoded, class Again>
void must_equal(const Decoded& decoded, const Again& again) {
  if (!again || !(*again == *decoded)) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text = as_text({data + 1, size - 1});
  switch (data[0] % 4) {
    case 0:
      if (const auto link = decode_link(text)) {
        must_equal(link, decode_link(encode_link(*link)));
      }
      break;
    case 1:
      if (const auto code = decode_code(text)) {
        must_equal(code, decode_code(encode_code(*code)));
      }
      break;
    case 2:
      if (const auto request = decode_pairing_request(text)) {
        must_equal(request, decode_pairing_request(encode(*request)));
      }
      break;
    default:
      if (const auto reply = decode_pairing_reply(text)) {
        must_equal(reply, decode_pairing_reply(std::visit([](const auto& r) { return encode(r); }, *reply)));
      }
  }
  return 0;
}
