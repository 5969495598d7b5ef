#include "tunnelmgr/runtime/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tunnelmgr/runtime/stderr_log.hpp"

namespace hearthcast::runtime {
namespace {

std::string toml_text(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string table_of(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string print(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& concrete) { out << concrete; });
  return out.str();
}

const char* level_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      break;
  }
  return "error";
}

}  // namespace

void Settings::parsed(std::string key, const std::string& default_text, std::string form, std::string meaning,
                      std::function<std::optional<std::function<void()>>(const std::string&)> parse) {
  keys_.push_back({std::move(key), std::move(meaning), std::move(form), toml_text(default_text),
                   [parse = std::move(parse)](const Value& value) -> std::optional<Assign> {
                     return value.text == nullptr ? std::nullopt : parse(*value.text);
                   }});
}

void Settings::text(std::string key, std::string& variable, std::string meaning) {
  parsed(std::move(key), variable, "a text in quotes", std::move(meaning),
         [&variable](const std::string& value) {
           return std::optional<Assign>([&variable, value] { variable = value; });
         });
}

void Settings::path(std::string key, std::filesystem::path& variable, std::string meaning) {
  parsed(std::move(key), variable.string(), "a path in quotes that starts with /, or \"\"",
         std::move(meaning), [&variable](const std::string& value) -> std::optional<Assign> {
           if (!value.empty() && value.front() != '/') {
             return std::nullopt;
           }
           return [&variable, value] { variable = value; };
         });
}

void Settings::endpoint(std::string key, Endpoint& variable, std::string meaning) {
  parsed(std::move(key), variable.to_string(),
         "an address and a port in quotes, as \"192.0.2.1:80\" or \"[::]:80\"", std::move(meaning),
         [&variable](const std::string& value) -> std::optional<Assign> {
           const auto endpoint = Endpoint::parse(value);
           if (!endpoint) {
             return std::nullopt;
           }
           return [&variable, endpoint] { variable = *endpoint; };
         });
}

void Settings::level(std::string key, Level& variable, std::string meaning) {
  parsed(std::move(key), level_name(variable), R"("debug", "info", "warning" or "error")", std::move(meaning),
         [&variable](const std::string& value) -> std::optional<Assign> {
           const auto level = parse_level(value);
           if (!level) {
             return std::nullopt;
           }
           return [&variable, level] { variable = *level; };
         });
}

void Settings::flag(std::string key, bool& variable, std::string meaning) {
  keys_.push_back({std::move(key), std::move(meaning), "true or false", variable ? "true" : "false",
                   [&variable](const Value& value) -> std::optional<Assign> {
                     if (value.flag == nullptr) {
                       return std::nullopt;
                     }
                     return [&variable, chosen = *value.flag] { variable = chosen; };
                   }});
}

void Settings::add_number(std::string key, std::int64_t least, std::int64_t most, std::string meaning,
                          std::int64_t default_value, std::function<void(std::int64_t)> assign) {
  keys_.push_back({std::move(key), std::move(meaning),
                   "a number from " + std::to_string(least) + " to " + std::to_string(most),
                   std::to_string(default_value),
                   [least, most, assign = std::move(assign)](const Value& value) -> std::optional<Assign> {
                     if (value.number == nullptr || *value.number < least || *value.number > most) {
                       return std::nullopt;
                     }
                     return [assign, chosen = *value.number] { assign(chosen); };
                   }});
}

std::string Settings::unknown_key(const std::string& key) const {
  std::string text = "unknown key " + key + "; the keys are ";
  for (const Key& each : keys_) {
    text += &each == &keys_.front() ? "" : ", ";
    text += each.name;
  }
  return text;
}

Result<void, Failure> Settings::read(const std::filesystem::path& file) const {
  std::error_code unknown;
  std::ifstream in(file, std::ios::binary);
  std::string toml;
  if (in && !std::filesystem::is_directory(file, unknown)) {  // reading a folder would throw
    toml.assign(std::istreambuf_iterator<char>(in), {});
  } else {
    return Failure{"cannot read the settings file " + file.string() +
                   "; check that it exists and is readable, or name another with --config"};
  }
  return read_text(toml, file.string());
}

Result<void, Failure> Settings::read_text(const std::string& toml, const std::string& file_name) const {
  toml::table root;
  try {
    root = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return Failure{file_name + ":" + std::to_string(error.source().begin.line) +
                   ": not valid TOML: " + std::string(error.description())};
  }
  std::vector<Assign> accepted;
  const std::function<std::string(const toml::table&, const std::string&)> walk =
      [&](const toml::table& table, const std::string& prefix) -> std::string {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      const std::string where = file_name + ":" + std::to_string(node.source().begin.line) + ": ";
      const bool is_table_of_keys =
          std::ranges::any_of(keys_, [&](const Key& known) { return known.name.starts_with(key + "."); });
      if (is_table_of_keys && node.is_table()) {
        if (std::string problem = walk(*node.as_table(), key + "."); !problem.empty()) {
          return problem;
        }
        continue;
      }
      const auto known = std::ranges::find(keys_, key, &Key::name);
      if (known == keys_.end()) {
        return where + unknown_key(key);
      }
      Value value;
      const auto* const text = node.as_string();
      const auto* const number = node.as_integer();
      const auto* const flag = node.as_boolean();
      value.text = text == nullptr ? nullptr : &text->get();
      value.number = number == nullptr ? nullptr : &number->get();
      value.flag = flag == nullptr ? nullptr : &flag->get();
      auto assign = known->accept(value);
      if (!assign) {
        return where + key + " = " + print(node) + " is not accepted; it takes " + known->form;
      }
      accepted.push_back(std::move(*assign));
    }
    return "";
  };
  if (std::string problem = walk(root, ""); !problem.empty()) {
    return Failure{std::move(problem)};
  }
  for (const Assign& assign : accepted) {
    assign();
  }
  return boost::system::in_place_value;
}

std::string Settings::sample() const {
  std::string out;
  std::vector<std::string> tables = {""};  // keys of no table come first: TOML wants it so
  for (const Key& key : keys_) {
    if (std::ranges::find(tables, table_of(key.name)) == tables.end()) {
      tables.push_back(table_of(key.name));
    }
  }
  for (const std::string& table : tables) {
    if (!table.empty()) {
      out += (out.empty() ? "[" : "\n[") + table + "]\n";
    }
    for (const Key& key : keys_) {
      if (table_of(key.name) == table) {
        const std::string name = table.empty() ? key.name : key.name.substr(table.size() + 1);
        out += "# " + key.meaning + "\n" + name + " = " + key.default_toml + "\n";
      }
    }
  }
  return out;
}

}  // namespace hearthcast::runtime
