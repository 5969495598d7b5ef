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
// A dot in a key is a TOML table. Unknown keys and bad values are failures that name file, line, key, value
// and the accepted form; then no variable has changed.
#pragma once

#include <filesystem>
#include <functional>
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
    add_number(key, least, most, meaning, static_cast<std::int64_t>(variable),
               [&variable](std::int64_t value) { variable = static_cast<Integer>(value); });
  }
  // Text with a form of its own: parse returns nullopt for what it does not accept; form says what it
  // accepts.
  void parsed(std::string key, const std::string& default_text, std::string form, std::string meaning,
              std::function<std::optional<std::function<void()>>(const std::string&)> parse);

  [[nodiscard]] Result<void, Failure> read(const std::filesystem::path& file) const;
  [[nodiscard]] Result<void, Failure> read_text(const std::string& toml, const std::string& file_name) const;

  // The documented sample file: every key with its meaning and default.
  [[nodiscard]] std::string sample() const;

 private:
  struct Value {  // exactly one is set
    const std::string* text = nullptr;
    const std::int64_t* number = nullptr;
    const bool* flag = nullptr;
  };
  using Assign = std::function<void()>;
  struct Key {
    std::string name;
    std::string meaning;
    std::string form;          // what is accepted, for people
    std::string default_toml;  // as it stands in the sample
    std::function<std::optional<Assign>(const Value&)> accept;
  };
  void add_number(std::string key, std::int64_t least, std::int64_t most, std::string meaning,
                  std::int64_t default_value, std::function<void(std::int64_t)> assign);

  [[nodiscard]] std::string unknown_key(const std::string& key) const;

  std::vector<Key> keys_;
};

}  // namespace hearthcast::runtime
