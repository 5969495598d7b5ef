#include "appliance/store/export.hpp"

namespace hearthcast::store {
namespace {

constexpr std::string_view kMagic = "HCX1";
constexpr std::string_view kIdentity = "identity.pem";
constexpr std::string_view kDatabase = "box.sqlite";

void put(Writer& to, std::string_view name, Bytes octets) {
  to.u8(static_cast<std::uint8_t>(name.size()));
  to.bytes(as_bytes(name));
  to.u32(static_cast<std::uint32_t>(octets.size()));
  to.bytes(octets);
}

}  // namespace

Buffer encode(const BoxExport& box) {
  Buffer out;
  Writer to(out);
  to.bytes(as_bytes(kMagic));
  put(to, kIdentity, as_bytes(box.identity));
  put(to, kDatabase, box.database);
  return out;
}

hearthcast::Result<BoxExport> decode_box_export(Bytes octets) {
  Reader from(octets);
  const std::string_view magic = as_text(from.take(kMagic.size()));
  if (from.failed()) {
    return ParseError::kTruncated;
  }
  if (magic != kMagic) {
    return ParseError::kUnknownType;
  }
  BoxExport box;
  while (from.left() > 0) {
    const std::string_view name = as_text(from.take(from.u8()));
    const Bytes part = from.take(from.u32());
    if (from.failed()) {
      return ParseError::kTruncated;
    }
    if (name == kIdentity) {
      box.identity = as_text(part);
    } else if (name == kDatabase) {
      box.database.assign(part.begin(), part.end());
    }
  }
  return box.identity.empty() || box.database.empty() ? hearthcast::Result<BoxExport>(ParseError::kTruncated)
                                                      : box;
}

}  // namespace hearthcast::store
