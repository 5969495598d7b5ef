#include "tunnelmgr/wire/psi.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

// As ffmpeg writes them.
const Buffer kPat = hex("00b00d 0001 c10000 0001f000 2ab104b2");
const Buffer kPmt = hex("02b017 0001 c10000 e100f000 1be100f000 0fe101f000 2f44b99b");
const Buffer kSdt =
    hex("42f027 0001 c10000 ff01ff 0001fc8016 4814 01 07 4578616d706c65 0a 486561727468204f6e65 6155825e");

TEST(Psi, ReadsThePat) {
  EXPECT_EQ(decode_pat(kPat).value(), (Pat{1, {{1, 0x1000}}}));
  expect_no_prefix_decodes(kPat, decode_pat);
}

TEST(Psi, ReadsThePmt) {
  EXPECT_EQ(decode_pmt(kPmt).value(), (Pmt{1, 0x100, {{0x1B, 0x100}, {0x0F, 0x101}}}));
  expect_no_prefix_decodes(kPmt, decode_pmt);
}

TEST(Psi, ReadsTheSdt) {
  EXPECT_EQ(decode_sdt(kSdt).value(), (Sdt{1, {{1, "Example", "Hearth One"}}}));
  expect_no_prefix_decodes(kSdt, decode_sdt);
}

TEST(Psi, RefusesOtherTablesAndDamage) {
  EXPECT_EQ(decode_pat(kPmt).error(), ParseError::kUnknownType);
  EXPECT_EQ(decode_sdt(kPat).error(), ParseError::kUnknownType);
  for (const Buffer& table : {kPat, kPmt, kSdt}) {
    for (std::size_t at = 0; at < table.size(); ++at) {
      Buffer changed = table;
      changed[at] ^= 0x20;
      EXPECT_FALSE(decode_pat(changed) || decode_pmt(changed) || decode_sdt(changed)) << at;
    }
  }
}

TsPacket carrying(Bytes payload, bool start) {
  TsPacket ts;
  ts.payload_unit_start = start;
  ts.has_payload = true;
  ts.payload = payload;
  return ts;
}

TEST(SectionAssembler, TakesASectionOutOfOnePacket) {
  SectionAssembler assembler;
  Buffer payload = hex("00");
  payload.insert(payload.end(), kSdt.begin(), kSdt.end());
  payload.resize(184, 0xFF);
  EXPECT_EQ(assembler.on_packet(carrying(payload, true)), kSdt);
}

TEST(SectionAssembler, JoinsASectionOverThreePackets) {
  SectionAssembler assembler;
  Buffer first = hex("02 ffff");  // the pointer skips the end of another section
  first.insert(first.end(), kSdt.begin(), kSdt.begin() + 2);
  EXPECT_EQ(assembler.on_packet(carrying(first, true)), std::nullopt);
  EXPECT_EQ(assembler.on_packet(carrying(Bytes(kSdt).subspan(2, 20), false)), std::nullopt);
  Buffer last{static_cast<std::uint8_t>(kSdt.size() - 22)};
  last.insert(last.end(), kSdt.begin() + 22, kSdt.end());
  last.push_back(0xFF);
  EXPECT_EQ(assembler.on_packet(carrying(last, true)), kSdt);
}

TEST(SectionAssembler, ForgetsWhatWasBroken) {
  SectionAssembler assembler;
  EXPECT_EQ(assembler.on_packet(carrying(kSdt, false)), std::nullopt) << "no start was seen";
  Buffer start = hex("00");
  start.insert(start.end(), kSdt.begin(), kSdt.begin() + 10);
  EXPECT_EQ(assembler.on_packet(carrying(start, true)), std::nullopt);
  TsPacket broken = carrying(hex("00"), false);
  broken.transport_error = true;
  EXPECT_EQ(assembler.on_packet(broken), std::nullopt);
  EXPECT_EQ(assembler.on_packet(carrying(Bytes(kSdt).subspan(10), false)), std::nullopt);
  EXPECT_EQ(assembler.on_packet(carrying(hex("b8 00"), true)), std::nullopt) << "a pointer over the end";
}

}  // namespace
}  // namespace hearthcast::wire
