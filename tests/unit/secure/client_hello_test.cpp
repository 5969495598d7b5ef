// What a client says first, as this project's own client and OpenSSL say it.
#include "tunnelmgr/secure/client_hello.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tunnelmgr/secure/handles.hpp"
#include "tunnelmgr/secure/tls_stream.hpp"

namespace hearthcast::secure {
namespace {

using State = ClientHello::State;

Buffer hello_with(const std::string& alpn) {
  TlsStream client(*TlsContext::pinned_client(Sha256{}), "relay.example", alpn);
  Buffer said;
  client.take_output(said);
  return said;
}

// The list as RFC 7301 has it: each name behind its length.
Buffer hello_with_list(const Buffer& list) {
  const SslContextHandle context(SSL_CTX_new(TLS_client_method()));
  const SslHandle client(SSL_new(context.get()));
  EXPECT_EQ(SSL_set_alpn_protos(client.get(), list.data(), static_cast<unsigned>(list.size())), 0);
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client.get());
  SSL_do_handshake(client.get());
  ERR_clear_error();
  Buffer said(BIO_ctrl_pending(SSL_get_wbio(client.get())));
  BIO_read(SSL_get_wbio(client.get()), said.data(), static_cast<int>(said.size()));
  return said;
}

TEST(ClientHello, TellsWhatIsOffered) {
  ClientHello hello;
  EXPECT_EQ(hello.put(hello_with("stun.turn")), State::kWhole);
  EXPECT_TRUE(hello.offers("stun.turn"));
  EXPECT_FALSE(hello.offers("stun"));
  EXPECT_FALSE(hello.offers(""));
}

TEST(ClientHello, AnyOfSeveralCounts) {
  ClientHello hello;
  ASSERT_EQ(hello.put(hello_with_list({2, 'h', '2', 9, 's', 't', 'u', 'n', '.', 't', 'u', 'r', 'n'})),
            State::kWhole);
  EXPECT_TRUE(hello.offers("h2"));
  EXPECT_TRUE(hello.offers("stun.turn"));
  EXPECT_FALSE(hello.offers("http/1.1"));
}

TEST(ClientHello, MayOfferNothing) {
  ClientHello hello;
  EXPECT_EQ(hello.put(hello_with("")), State::kWhole);
  EXPECT_FALSE(hello.offers("stun.turn"));
  EXPECT_FALSE(hello.offers(""));
}

TEST(ClientHello, NoPrefixIsOne) {
  const Buffer whole = hello_with("stun.turn");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ClientHello hello;
    EXPECT_EQ(hello.put(Bytes(whole).first(size)), State::kMore) << size;
    EXPECT_FALSE(hello.offers("stun.turn")) << size;
    EXPECT_EQ(hello.put(Bytes(whole).subspan(size)), State::kWhole) << size;
    EXPECT_TRUE(hello.offers("stun.turn")) << size;
  }
}

TEST(ClientHello, OctetByOctetIsTheSame) {
  ClientHello hello;
  for (const std::uint8_t octet : hello_with("stun.turn")) {
    ASSERT_NE(hello.state(), State::kWrong);
    hello.put(Bytes(&octet, 1));
  }
  EXPECT_EQ(hello.state(), State::kWhole);
  EXPECT_TRUE(hello.offers("stun.turn"));
}

// RFC 8446 section 5.1: a handshake message may lie in several records.
TEST(ClientHello, MayLieInSeveralRecords) {
  const Buffer whole = hello_with("stun.turn");
  const Bytes message = Bytes(whole).subspan(5);
  Buffer cut;
  for (std::size_t at = 0; at < message.size(); at += 100) {
    const Bytes part = message.subspan(at, std::min<std::size_t>(100, message.size() - at));
    cut.insert(cut.end(), whole.begin(), whole.begin() + 3);
    Writer(cut).u16(static_cast<std::uint16_t>(part.size()));
    cut.insert(cut.end(), part.begin(), part.end());
  }
  ClientHello hello;
  EXPECT_EQ(hello.put(cut), State::kWhole);
  EXPECT_TRUE(hello.offers("stun.turn"));
}

TEST(ClientHello, WhatIsNoneIsWrongAndStaysSo) {
  using namespace std::string_view_literals;
  for (const auto text : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"sv, "SSH-2.0-OpenSSH_9.2\r\n"sv,
                          "\x16\x03\x01\x00\x05\x02zzzz!"sv}) {
    ClientHello hello;
    EXPECT_EQ(hello.put(as_bytes(text)), State::kWrong) << text;
    EXPECT_EQ(hello.put(hello_with("stun.turn")), State::kWrong) << text;
    EXPECT_FALSE(hello.offers("stun.turn")) << text;
  }
}

TEST(ClientHello, ABrokenListOffersOnlyWhatIsWhole) {
  Buffer whole = hello_with("stun.turn");
  const auto name =
      std::search(whole.begin(), whole.end(), std::begin("stun.turn"), std::end("stun.turn") - 1);
  ASSERT_NE(name, whole.end());
  *(name - 1) = 200;  // the name's length: more than there is
  ClientHello hello;
  hello.put(whole);
  EXPECT_FALSE(hello.offers("stun.turn"));
}

}  // namespace
}  // namespace hearthcast::secure
