#include "tunnelmgr/runtime/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "tunnelmgr/runtime/stderr_log.hpp"

namespace hearthcast::runtime {
namespace {

std::string toml_text(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    out += (out.size() == 1 ? "" : ", ") + toml_text(text);
  }
  return out + "]";
}

// Each line behind a '#', so that taking it away again gives the lines.
std::string commented_out(const std::string& lines) {
  std::string out;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    out += "#" + line + "\n";
  }
  return out;
}

std::string table_of(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
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

void Settings::parsed_list(
    std::string key, const std::vector<std::string>& default_texts, std::string form, std::string meaning,
    std::function<std::optional<std::function<void()>>(const std::vector<std::string>&)> parse) {
  keys_.push_back({std::move(key), std::move(meaning), std::move(form), toml_list(default_texts),
                   [parse = std::move(parse)](const Value& value) -> std::optional<Assign> {
                     return value.texts == nullptr ? std::nullopt : parse(*value.texts);
                   }});
}

void Settings::texts(std::string key, std::vector<std::string>& variable, std::string meaning) {
  parsed_list(std::move(key), variable, "a list of texts in quotes, as [\"one\", \"two\"]",
              std::move(meaning), [&variable](const std::vector<std::string>& value) {
                return std::optional<Assign>([&variable, value] { variable = value; });
              });
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

void Settings::parsed_number(std::string key, std::int64_t default_value, std::int64_t least,
                             std::int64_t most, std::string meaning,
                             std::function<void(std::int64_t)> assign) {
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

std::map<std::string, std::string> Settings::values() const {
  std::map<std::string, std::string> all;
  for (const Key& key : keys_) {
    all[key.name] = key.default_toml;
  }
  return all;
}

std::string Settings::sample() const { return sample_of(""); }

// `place` is the name of the `[[table]]` whose keys these are, with a dot at its end; "" for the file itself.
std::string Settings::sample_of(const std::string& place) const {
  std::string out;
  std::vector<std::string> tables = {""};  // keys of no table come first: TOML wants it so
  for (const Key& key : keys_) {
    if (std::ranges::find(tables, table_of(key.name)) == tables.end()) {
      tables.push_back(table_of(key.name));
    }
  }
  for (const std::string& table : tables) {
    if (!table.empty()) {
      out.append(out.empty() ? "[" : "\n[").append(place).append(table).append("]\n");
    }
    for (const Key& key : keys_) {
      if (table_of(key.name) == table) {
        const std::string name = table.empty() ? key.name : key.name.substr(table.size() + 1);
        out += "# " + key.meaning + "\n" + name + " = " + key.default_toml + "\n";
      }
    }
  }
  for (const Tables& each : tables_) {
    out += "\n# " + each.meaning + " May come several times; there is none unless you write one, as this:\n";
    out += commented_out("[[" + place + each.name + "]]\n" +
                         each.example().keys->sample_of(place + each.name + "."));
  }
  return out;
}

}  // namespace hearthcast::runtime
