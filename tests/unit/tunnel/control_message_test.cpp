#include "tunnelmgr/tunnel/control_message.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/tunnel/control_packet.hpp"

namespace hearthcast::tunnel {
namespace {

FlowKey flow(const char* source, const char* group, std::uint16_t port) {
  FlowKey key;
  if (source != nullptr) {
    key.source = IpAddress::parse(source);
  }
  key.group = *IpAddress::parse(group);
  key.port = port;
  return key;
}

struct Example {
  const char* name;
  ControlMessage message;
  Sender sender;
};

std::vector<Example> examples() {
  ChannelList list;
  list.revision = 18446744073709551615U;
  list.channels.push_back({ChannelId{1},
                           "Eins \"HD\"",
                           flow("2001:db8::1", "ff3e::8000:1", 5004),
                           false,
                           {{"tvg-id", "eins"}, {"group-title", "Nachrichten"}}});
  list.channels.push_back({ChannelId{2}, "Две", flow(nullptr, "239.1.1.2", 1234), true, {}});
  return {
      {"device hello", DeviceHello{1, "hearthcast-away 0.1.0", "laptop", 42}, Sender::kDevice},
      {"device hello that lists", DeviceHello{1, "a", "b", 0, {"repair", "a word of tomorrow"}},
       Sender::kDevice},
      {"device hello that asks", DeviceHello{1, "a", "b", 0, {}, Form::kAyiya}, Sender::kDevice},
      {"box hello that grants",
       BoxHello{
           1, "a", "b", DeviceState::kApproved, *IpAddress::parse("fe80::1:2"), "", {}, {}, Form::kSixInFour},
       Sender::kBox},
      {"box hello",
       BoxHello{1, "hearthcast-box 0.1.0", "Home", DeviceState::kPending, *IpAddress::parse("fe80::1:2"),
                "Waits for approval"},
       Sender::kBox},
      {"box hello that lists",
       BoxHello{1, "a", "b", DeviceState::kApproved, *IpAddress::parse("fe80::1:2"), "", {"repair", "probe"}},
       Sender::kBox},
      {"box hello with addresses",
       BoxHello{1,
                "a",
                "b",
                DeviceState::kApproved,
                *IpAddress::parse("fe80::1:2"),
                "",
                {"tun"},
                InnerAddresses{*IpAddress::parse("fd01::2"), *IpAddress::parse("fd01::1"),
                               *IpAddress::parse("10.203.0.5"), *IpAddress::parse("10.203.0.1")}},
       Sender::kBox},
      {"channels", list, Sender::kBox},
      {"empty list", ChannelList{3, {}}, Sender::kBox},
      {"refusal", Refusal{RefusalCode::kNotGranted, "Not yours", flow(nullptr, "239.1.1.2", 0)},
       Sender::kBox},
      {"refusal of a source", Refusal{RefusalCode::kNoSignal, "", flow("192.0.2.1", "232.1.1.2", 1)},
       Sender::kBox},
      {"notice", Notice{NoticeCode::kReplaced, "Another session"}, Sender::kDevice},
      {"ping", Ping{7}, Sender::kDevice},
      {"path", PathTold{"both NATs assign a port per destination"}, Sender::kDevice},
      {"congestion", Congestion{flow("192.0.2.1", "232.1.1.2", 1), 4'000'000, 8'000'000}, Sender::kDevice},
  };
}

TEST(ControlMessage, EveryKindComesBackAsItWas) {
  for (const auto& example : examples()) {
    const auto again = decode_control_message(encode(example.message), example.sender);
    ASSERT_TRUE(again) << example.name;
    EXPECT_EQ(*again, example.message) << example.name;
  }
}

TEST(ControlMessage, EveryPrefixIsRejected) {
  for (const auto& example : examples()) {
    const auto whole = encode(example.message);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(decode_control_message(Bytes(whole).first(n), example.sender)) << example.name << n;
    }
  }
}

TEST(ControlMessage, WordsAreThoseOfTheProtocol) {
  EXPECT_EQ(as_text(encode(Ping{7})), R"({"nonce":7,"type":"ping"})");
  EXPECT_EQ(as_text(encode(Refusal{RefusalCode::kUnknownChannel, "?", flow(nullptr, "239.1.1.2", 5)})),
            R"({"code":"unknown_channel","group":"239.1.1.2","port":5,"text":"?","type":"refusal"})");
}

TEST(ControlMessage, AHelloWithoutCapabilitiesListsNone) {
  const auto old = decode_control_message(
      as_bytes(R"({"type":"hello","version":1,"software":"a","name":"b"})"), Sender::kDevice);
  ASSERT_TRUE(old);
  EXPECT_TRUE(std::get<DeviceHello>(*old).capabilities.empty());
  const auto listing = decode_control_message(
      as_bytes(R"({"type":"hello","version":1,"capabilities":["tun","repair"]})"), Sender::kDevice);
  ASSERT_TRUE(listing);
  const auto& words = std::get<DeviceHello>(*listing).capabilities;
  EXPECT_TRUE(lists(words, kCanRepair));
  EXPECT_TRUE(lists(words, kCanTun));
  EXPECT_FALSE(lists(words, kCanPrelude));
}

TEST(ControlMessage, AHelloWithoutAKnownEncapsulationMeansGre) {
  for (const auto& [member, expected] :
       {std::pair(R"()", Form::kGre), std::pair(R"(,"encapsulation":"gre")", Form::kGre),
        std::pair(R"(,"encapsulation":"6in4")", Form::kSixInFour),
        std::pair(R"(,"encapsulation":"of tomorrow")", Form::kGre)}) {
    const auto hello = decode_control_message(
        as_bytes(R"({"type":"hello","version":1)" + std::string(member) + "}"), Sender::kDevice);
    ASSERT_TRUE(hello) << member;
    EXPECT_EQ(std::get<DeviceHello>(*hello).encapsulation, expected) << member;
  }
  EXPECT_EQ(as_text(encode(DeviceHello{})).find("encapsulation"), std::string_view::npos);
  EXPECT_FALSE(
      decode_control_message(as_bytes(R"({"type":"hello","version":1,"encapsulation":4})"), Sender::kDevice));
}

TEST(ControlMessage, UnknownMembersAndTypesArePassedOver) {
  const auto ping =
      decode_control_message(as_bytes(R"({"type":"ping","nonce":1,"more":[1,2]})"), Sender::kBox);
  ASSERT_TRUE(ping);
  EXPECT_EQ(std::get<Ping>(*ping).nonce, 1U);
  const auto unknown = decode_control_message(as_bytes(R"({"type":"probe"})"), Sender::kBox);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error(), ParseError::kUnknownType);
}

TEST(ControlMessage, RefusesWhatDoesNotFit) {
  const auto refuses = [](const std::string& text) {
    const auto decoded = decode_control_message(as_bytes(text), Sender::kBox);
    return !decoded && decoded.error() == ParseError::kBadValue;
  };
  const std::string hello = R"({"type":"hello","version":1,"state":"approved","link_local":"fe80::1:2",)";
  EXPECT_FALSE(refuses(hello + R"("capabilities":[]})"));
  EXPECT_TRUE(refuses(hello + R"("capabilities":"repair"})"));
  EXPECT_TRUE(refuses(hello + R"("capabilities":[1]})"));
  EXPECT_TRUE(refuses(hello + R"("capabilities":[")" + std::string(65, 'x') + "\"]}"));
  std::string many = R"("a")";
  for (int n = 1; n < 65; ++n) {
    many += R"(,"a")";
  }
  EXPECT_TRUE(refuses(hello + R"("capabilities":[)" + many + "]}"));
  const auto refuses_inner = [&](const std::string& inner) {
    return refuses(hello + R"("inner":)" + inner + "}");
  };
  EXPECT_FALSE(
      refuses_inner(R"({"ip6":"fd01::2","box_ip6":"fd01::1","ip4":"10.0.0.5","box_ip4":"10.0.0.1"})"));
  EXPECT_TRUE(refuses_inner(R"("fd01::2")"));
  EXPECT_TRUE(refuses_inner(R"({"ip6":"fd01::2","box_ip6":"fd01::1","ip4":"10.0.0.5"})"));
  EXPECT_TRUE(
      refuses_inner(R"({"ip6":"10.0.0.2","box_ip6":"fd01::1","ip4":"10.0.0.5","box_ip4":"10.0.0.1"})"));
  EXPECT_TRUE(
      refuses_inner(R"({"ip6":"2001:db8::2","box_ip6":"fd01::1","ip4":"10.0.0.5","box_ip4":"10.0.0.1"})"))
      << "addresses of the Internet are not the box's to give";
  EXPECT_TRUE(refuses_inner(R"({"ip6":"fd01::2","box_ip6":"fd01::1","ip4":"8.8.8.8","box_ip4":"10.0.0.1"})"));
  EXPECT_TRUE(refuses("[]"));
  EXPECT_TRUE(refuses("{}"));
  EXPECT_TRUE(refuses(R"({"type":7})"));
  EXPECT_TRUE(refuses(R"({"type":"ping","nonce":-1})"));
  EXPECT_TRUE(refuses(R"({"type":"ping","nonce":"1"})"));
  EXPECT_TRUE(refuses(R"({"type":"notice","code":"tired"})"));
  EXPECT_TRUE(refuses(R"({"type":"refusal","code":"limit","group":"239.1.1.1","port":65536})"));
  EXPECT_TRUE(refuses(R"({"type":"refusal","code":"limit","group":"here","port":1})"));
  EXPECT_TRUE(refuses(R"({"type":"refusal","code":"limit","group":"239.1.1.1","port":1,"source":"::1"})"));
  const std::string channel = R"({"type":"channels","revision":1,"channels":[{"id":1,"name":"a",)";
  EXPECT_FALSE(refuses(channel + R"("group":"239.1.1.1","port":1}]})"));
  EXPECT_TRUE(refuses(channel + R"("group":"10.1.1.1","port":1}]})")) << "no multicast group";
  EXPECT_TRUE(refuses(channel + R"("group":"239.1.1.1","port":0}]})"));
  EXPECT_TRUE(refuses(channel + R"("group":"239.1.1.1","port":1,"attributes":{"a":1}}]})"));
  EXPECT_TRUE(refuses(R"({"type":"channels","revision":1,"channels":[1]})"));
  EXPECT_TRUE(refuses(R"({"type":"channels","revision":1,"channels":{}})"));
  EXPECT_TRUE(refuses(R"({"type":"notice","code":"shutdown","text":")" + std::string(5000, 'x') + "\"}"));
}

TEST(ControlMessage, DeepNestingIsOnlyAnError) {
  const std::string deep(100000, '[');
  EXPECT_FALSE(decode_control_message(as_bytes(deep), Sender::kBox));
}

TEST(ControlMessage, TextThatIsNotUtf8IsReplaced) {
  const auto encoded = encode(Notice{NoticeCode::kShutdown,
                                     "a\xff"
                                     "b"});
  const auto decoded = decode_control_message(encoded, Sender::kBox);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<Notice>(*decoded).text,
            "a\xef\xbf\xbd"
            "b");
}

TEST(ControlMessage, TenThousandChannelsFitIntoOneMessage) {
  ChannelList list;
  list.revision = 1;
  for (int n = 0; n < 10000; ++n) {
    list.channels.push_back(
        {ChannelId{n},
         "A channel with a rather long name " + std::to_string(n),
         flow("2001:db8:aaaa:bbbb:cccc:dddd:eeee:1", "ff3e:40:2001:db8:aaaa:bbbb:8000:1", 50000),
         false,
         {{"tvg-id", "channel." + std::to_string(n)}, {"group-title", "Nachrichten"}}});
  }
  const auto encoded = encode(list);
  EXPECT_LE(encoded.size(), std::size_t{4} << 20);
  EXPECT_TRUE(decode_control_message(encoded, Sender::kBox));
}

TEST(ControlMessage, DeepNestingIsRefusedBeforeItCostsMemory) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string text = "{\"type\":\"ping\",\"nonce\":1,\"x\":";
    while (text.size() < kMaxMessageSize) {
      text += open;
    }
    EXPECT_FALSE(decode_control_message(as_bytes(text), Sender::kDevice));
  }
  for (const char* text : {R"({"type":"ping","nonce":1,"x":[[[[[[1]]]]]]})",
                           R"({"type":"ping","nonce":1,"x":"[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[{{{"})"}) {
    EXPECT_TRUE(decode_control_message(as_bytes(text), Sender::kBox)) << text;
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
