// Octet strings: views, a reader and a writer in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearthcast {

using Bytes = std::span<const std::uint8_t>;  // does not own; valid as long as what it views
using MutableBytes = std::span<std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;  // owns

[[nodiscard]] Bytes as_bytes(std::string_view text);
[[nodiscard]] std::string_view as_text(Bytes bytes);
[[nodiscard]] bool equal(Bytes a, Bytes b);  // not constant time: for secrets use Crypto::equal

// Reads big-endian numbers. A short read latches failed() and yields zeros, so a decoder checks once at the
// end.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint8_t u8();
  [[nodiscard]] std::uint16_t u16();
  [[nodiscard]] std::uint32_t u32();
  [[nodiscard]] std::uint64_t u64();
  Bytes take(std::size_t count);  // a view into the input; empty when short
  Bytes rest();                   // all that is left
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// Appends big-endian numbers to a buffer that the caller owns.
class Writer {
 public:
  explicit Writer(Buffer& out) : out_(out) {}
  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void bytes(Bytes value);
  void zeros(std::size_t count);
  void patch_u16(std::size_t at, std::uint16_t value);  // overwrites two octets written before
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  Buffer& out_;
};

}  // namespace hearthcast
