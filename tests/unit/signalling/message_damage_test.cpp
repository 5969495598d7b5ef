// Every member of every message, replaced by everything that it should not be.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::signalling {
namespace {

using Json = nlohmann::json;

const std::string kId(64, 'a');
constexpr const char* kSample[] = {
    R"({"type":"challenge","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","software":"s"})",
    R"({"type":"hello","role":"box","public_key":"AAAA","signature":"AAAA","software":"s"})",
    R"({"type":"welcome","observed":"192.0.2.1:5","presence":{"username":"u","password":"p","port":3478,"interval_s":20}})",
    R"({"type":"allow","devices":["@"],"revision":1,"signature":"AAAA"})",
    R"({"type":"pairing","locator":"7K2M","seconds":600})",
    R"({"type":"mapping","endpoint":"192.0.2.1:5"})",
    R"({"type":"introduce","id":1,"box":"@","payload":"AAAA","signature":"AAAA"})",
    R"({"type":"introduce","id":1,"device":"@","public_key":"AAAA","payload":"AAAA","signature":"AAAA","observed":["192.0.2.1:5"]})",
    R"({"type":"answer","id":1,"payload":"AAAA","signature":"AAAA","observed":["192.0.2.1:5"]})",
    R"({"type":"refuse","id":1,"payload":"AAAA","signature":"AAAA"})",
    R"({"type":"pair","id":1,"box":"@","payload":"{}"})",
    R"({"type":"pair","id":1,"locator":"7K2M","payload":"{}"})",
    R"({"type":"pair","id":1,"device":"@","payload":"{}"})",
    R"({"type":"pair_answer","id":1,"payload":"{}"})",
    R"({"type":"error","code":"rate","id":1,"text":"t"})",
};

Json sample(const char* text) {
  std::string whole = text;
  if (const auto at = whole.find('@'); at != std::string::npos) {
    whole.replace(at, 1, kId);
  }
  return Json::parse(whole);
}

// Words for people, and what a later version may leave out: anything goes, nothing is believed.
bool is_lenient(const Json& message, const std::string& member) {
  return member == "software" || member == "text" || (member == "id" && message["type"] == "error");
}

// What is no mistake: an empty list of things, and a text that only its receiver can judge.
bool may_be(const std::string& member, const Json& good, const Json& bad) {
  return (good.is_array() && bad == Json::array()) ||
         (bad.is_string() && (member == "payload" || member == "username" || member == "password"));
}

// Each member of the message and of the objects in it.
void for_each_member(Json& message, const std::function<void(const std::string& name, Json& value)>& visit) {
  for (auto& [name, value] : message.items()) {
    if (name != "type") {
      visit(name, value);
    }
    if (value.is_object()) {
      for_each_member(value, visit);
    }
  }
}

TEST(MessageDamage, TheSamplesThemselvesAreGood) {
  for (const char* text : kSample) {
    EXPECT_TRUE(decode_message(sample(text).dump())) << text;
  }
}

TEST(MessageDamage, AMemberOfAnotherTypeIsRefused) {
  const Json wrong[] = {nullptr, true, 1.5, -1, Json::array(), Json::object(), Json::array({Json::array()}),
                        "\x01"};
  for (const char* text : kSample) {
    Json message = sample(text);
    for_each_member(message, [&](const std::string& name, Json& value) {
      for (const Json& bad : wrong) {
        if (is_lenient(message, name) || may_be(name, value, bad)) {
          continue;
        }
        const Json good = std::exchange(value, bad);
        const auto decoded = decode_message(message.dump());
        EXPECT_TRUE(!decoded && decoded.error() == ParseError::kBadValue) << message.dump();
        value = good;
      }
    });
  }
}

TEST(MessageDamage, WordsForPeopleNeverMakeAMessageUnreadable) {
  const Json odd[] = {nullptr, 7, Json::object(), std::string(60'000, 'x'), "\x01\x02", ""};
  for (const char* text : kSample) {
    Json message = sample(text);
    for_each_member(message, [&](const std::string& name, Json& value) {
      if (!is_lenient(message, name)) {
        return;
      }
      for (const Json& other : odd) {
        const Json good = std::exchange(value, other);
        EXPECT_TRUE(decode_message(message.dump())) << name << " in " << text;
        value = good;
      }
    });
  }
}

TEST(MessageDamage, NumbersBeyondTheirRangeAreRefused) {
  struct Row {
    const char* message;
    std::vector<std::string> path;
    Json first_bad;
    Json last_good;
  };
  const Row rows[] = {
      {kSample[2], {"presence", "port"}, 65536, 65535},
      {kSample[2], {"presence", "port"}, 0, 1},
      {kSample[2], {"presence", "interval_s"}, 3601, 3600},
      {kSample[2], {"presence", "interval_s"}, 0, 1},
      {kSample[4], {"seconds"}, 3601, 3600},
      {kSample[4], {"seconds"}, -1, 0},
      {kSample[4], {"locator"}, "7K2", ""},
      {kSample[4], {"locator"}, "7K2M7", "7K2M"},
      {kSample[5], {"endpoint"}, "[2001:db8::1]:65536", "[2001:db8::1]:65535"},
      {kSample[13], {"id"}, -1, std::uint64_t{0x7fffffffffffffff}},
  };
  for (const Row& row : rows) {
    for (const bool good : {true, false}) {
      Json message = sample(row.message);
      Json* at = &message;
      for (const std::string& name : row.path) {
        at = &at->at(name);
      }
      *at = good ? row.last_good : row.first_bad;
      EXPECT_EQ(decode_message(message.dump()).has_value(), good) << message.dump();
    }
  }
}

// A message cut or with an octet replaced is refused or is another message: it is never misread as a longer
// one.
TEST(MessageDamage, AnyOneOctetMayBeAnything) {
  for (const char* text : kSample) {
    const std::string whole = sample(text).dump();
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const char octet : {'\0', '"', '}', '{', ',', '9', '\x80', '\\'}) {
        std::string damaged = whole;
        damaged[at] = octet;
        if (const auto decoded = decode_message(damaged)) {
          const auto again = decode_message(encode(*decoded));
          EXPECT_TRUE(again && *again == *decoded) << damaged;
        }
      }
    }
  }
}

TEST(MessageDamage, AListOfDevicesHoldsIdsOnly) {
  for (const char* bad : {"", "a", "g", " "}) {
    Json message = sample(kSample[3]);
    std::string id = kId;
    id.replace(0, 1, bad);
    if (id == kId) {
      id += 'a';
    }
    message["devices"].push_back(id);
    EXPECT_FALSE(decode_message(message.dump())) << id;
  }
}

}  // namespace
}  // namespace hearthcast::signalling
