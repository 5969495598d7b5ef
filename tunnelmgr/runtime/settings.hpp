// The settings file of a program: TOML, read once into the program's own variables, every key checked.
//
// A program declares each key once, bound to a variable whose present value is the default:
//
//   BoxSettings s;
//   Settings settings;
//   settings.text("name", s.name, "What devices call this box.");
//   settings.number("network.tunnel_port", s.tunnel_port, 1, 65535, "UDP port of the tunnels.");
//   if (const auto read = settings.read("/etc/hearthcast/box.toml"); !read) { ... read.error().text ... }
//
// A dot in a key is a TOML table; tables() declares one that may come several times, `[[multicast]]`. Unknown
// keys and bad values are failures that name file, line, key, value and the accepted form; then no variable
// has changed.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::runtime {

class Settings {
 public:
  void text(std::string key, std::string& variable, std::string meaning);
  void path(std::string key, std::filesystem::path& variable, std::string meaning);
  void flag(std::string key, bool& variable, std::string meaning);
  void endpoint(std::string key, Endpoint& variable, std::string meaning);  // "192.0.2.1:80", "[::]:80"
  void level(std::string key, Level& variable, std::string meaning);        // the log's least level
  template <class Integer>
  void number(const std::string& key, Integer& variable, std::int64_t least, std::int64_t most,
              const std::string& meaning) {
    parsed_number(key, static_cast<std::int64_t>(variable), least, most, meaning,
                  [&variable](std::int64_t value) { variable = static_cast<Integer>(value); });
  }
  // For numbers that mean something else: `assign` is called with one in range.
  void parsed_number(std::string key, std::int64_t default_value, std::int64_t least, std::int64_t most,
                     std::string meaning, std::function<void(std::int64_t)> assign);
  // Text with a form of its own: parse returns nullopt for what it does not accept; form says what it
  // accepts.
  void parsed(std::string key, const std::string& default_text, std::string form, std::string meaning,
              std::function<std::optional<std::function<void()>>(const std::string&)> parse);

  // A list of texts, of which each one has a form of its own, as `parsed`.
  void parsed_list(
      std::string key, const std::vector<std::string>& default_texts, std::string form, std::string meaning,
      std::function<std::optional<std::function<void()>>(const std::vector<std::string>&)> parse);
  void texts(std::string key, std::vector<std::string>& variable, std::string meaning);

  // A table that may come several times, `[[key]]`, or as an array of inline tables. `declare` declares the
  // keys of one row, whose defaults are those of a fresh Row; `check` says what is wrong with a whole row, or
  // "". When the key is there, its rows replace what the variable held. The sample shows `example`, commented
  // out.
  template <class Row>
  void tables(std::string key, std::vector<Row>& variable, std::string meaning,
              std::function<void(Settings&, Row&)> declare, std::function<std::string(const Row&)> check,
              const Row& example) {
    const auto make = [&variable, declare, check](const Row& initial) {
      auto row =
          std::make_shared<Row>(initial);  // shared by the functions below, which live and die together
      auto keys = std::make_shared<Settings>();
      declare(*keys, *row);
      return RowInHand{keys, [row, check] { return check ? check(*row) : std::string(); },
                       [row, &variable] { variable.push_back(std::move(*row)); }};
    };
    tables_.push_back({std::move(key), std::move(meaning), [make] { return make(Row()); },
                       [make, example] { return make(example); }, [&variable] { variable.clear(); }});
  }

  [[nodiscard]] Result<void, Failure> read(const std::filesystem::path& file) const;
  [[nodiscard]] Result<void, Failure> read_text(const std::string& toml, const std::string& file_name) const;

  // Each key with the value that its variable had when it was declared, as it stands in a file. Without
  // tables.
  [[nodiscard]] std::map<std::string, std::string> values() const;

  // The documented sample file: every key with its meaning and default.
  [[nodiscard]] std::string sample() const;

 private:
  struct Value {  // at most one is set
    const std::string* text = nullptr;
    const std::int64_t* number = nullptr;
    const bool* flag = nullptr;
    const std::vector<std::string>* texts = nullptr;
  };
  using Assign = std::function<void()>;
  struct Key {
    std::string name;
    std::string meaning;
    std::string form;          // what is accepted, for people
    std::string default_toml;  // as it stands in the sample
    std::function<std::optional<Assign>(const Value&)> accept;
  };
  struct RowInHand {  // one table of tables_ while it is read
    std::shared_ptr<Settings> keys;
    std::function<std::string()> check;
    Assign keep;
  };
  struct Tables {
    std::string name;
    std::string meaning;
    std::function<RowInHand()> fresh;
    std::function<RowInHand()> example;
    Assign clear;
  };
  struct Reading;  // of one file: settings_read.cpp

  [[nodiscard]] std::string sample_of(const std::string& place) const;

  std::vector<Key> keys_;
  std::vector<Tables> tables_;
};

}  // namespace hearthcast::runtime
