// Tables of a transport stream, as much as tells what a channel is: PAT and PMT (ISO/IEC 13818-1
// section 2.4.4), SDT (EN 300 468 section 5.2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::wire {

struct PatProgram {
  std::uint16_t number = 0;  // never 0, which names the network information table
  std::uint16_t pmt_pid = 0;
  friend bool operator==(const PatProgram&, const PatProgram&) = default;
};
struct Pat {
  std::uint16_t transport_stream = 0;
  std::vector<PatProgram> programs = {};
  friend bool operator==(const Pat&, const Pat&) = default;
};

struct PmtStream {
  std::uint8_t type = 0;  // 0x1B H.264, 0x24 H.265, 0x0F AAC (ADTS), ...
  std::uint16_t pid = 0;
  friend bool operator==(const PmtStream&, const PmtStream&) = default;
};
struct Pmt {
  std::uint16_t program = 0;
  std::uint16_t pcr_pid = 0;
  std::vector<PmtStream> streams = {};
  friend bool operator==(const Pmt&, const Pmt&) = default;
};

struct SdtService {
  std::uint16_t id = 0;
  std::string provider;  // octets of EN 300 468 annex A, without the octets that select a character table
  std::string name;
  friend bool operator==(const SdtService&, const SdtService&) = default;
};
struct Sdt {
  std::uint16_t transport_stream = 0;
  std::vector<SdtService> services = {};
  friend bool operator==(const Sdt&, const Sdt&) = default;
};

// Each takes one whole section and checks its CRC. kUnknownType: a section of another table or one not yet in
// force.
[[nodiscard]] Result<Pat> decode_pat(Bytes section);
[[nodiscard]] Result<Pmt> decode_pmt(Bytes section);
[[nodiscard]] Result<Sdt> decode_sdt(Bytes section);  // of this transport stream

// Puts the sections of one PID together from its packets. Feed it packets of that PID only.
class SectionAssembler {
 public:
  // The section that this packet completes. With several in one packet, the first; the tables repeat.
  [[nodiscard]] std::optional<Buffer> on_packet(const TsPacket& packet);

 private:
  [[nodiscard]] std::optional<Buffer> append(Bytes octets);
  Buffer section_;
  bool open_ = false;
};

}  // namespace hearthcast::wire
