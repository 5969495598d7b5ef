// Reading a settings file against the keys that were declared.
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tunnelmgr/runtime/settings.hpp"

namespace hearthcast::runtime {
namespace {

std::string print(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& concrete) { out << concrete; });
  return out.str();
}

// The list when it holds nothing but texts.
std::optional<std::vector<std::string>> list_of_texts(const toml::node& node) {
  const auto* const array = node.as_array();
  if (array == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& item : *array) {
    const auto* const text = item.as_string();
    if (text == nullptr) {
      return std::nullopt;
    }
    texts.push_back(text->get());
  }
  return texts;
}

}  // namespace

// Collects what the file assigns; nothing is assigned before all of it was accepted. Every function returns
// what is wrong, or "".
struct Settings::Reading {
  const Settings& settings;
  std::string file_name;
  std::string place = {};   // "multicast[2]." inside the second [[multicast]]; "" in the file itself
  std::string tables = {};  // "multicast" there
  std::vector<Assign> accepted = {};

  [[nodiscard]] std::string where(const toml::node& node) const {
    return file_name + ":" + std::to_string(node.source().begin.line) + ": ";
  }

  [[nodiscard]] std::string unknown_key(const std::string& key) const {
    std::string text = "unknown key " + place + key + "; the keys ";
    text += tables.empty() ? "are " : "of [[" + tables + "]] are ";
    const char* separator = "";
    for (const Key& each : settings.keys_) {
      text += separator + each.name;
      separator = ", ";
    }
    for (const Tables& each : settings.tables_) {
      text += separator + ("[[" + each.name + "]]");
      separator = ", ";
    }
    return text;
  }

  std::string table(const toml::table& given, const std::string& prefix) {
    for (const auto& [name, node] : given) {
      if (std::string problem = key(prefix + std::string(name.str()), node); !problem.empty()) {
        return problem;
      }
    }
    return "";
  }

  std::string key(const std::string& name, const toml::node& node) {
    const bool is_table_of_keys = std::ranges::any_of(
        settings.keys_, [&](const Key& known) { return known.name.starts_with(name + "."); });
    if (is_table_of_keys && node.is_table()) {
      return table(*node.as_table(), name + ".");
    }
    if (const auto rows = std::ranges::find(settings.tables_, name, &Tables::name);
        rows != settings.tables_.end()) {
      return all_rows(*rows, node);
    }
    const auto known = std::ranges::find(settings.keys_, name, &Key::name);
    if (known == settings.keys_.end()) {
      return where(node) + unknown_key(name);
    }
    const auto* const text = node.as_string();
    const auto* const number = node.as_integer();
    const auto* const flag = node.as_boolean();
    const auto texts = list_of_texts(node);
    Value value;
    value.text = text == nullptr ? nullptr : &text->get();
    value.number = number == nullptr ? nullptr : &number->get();
    value.flag = flag == nullptr ? nullptr : &flag->get();
    value.texts = texts ? &*texts : nullptr;
    auto assign = known->accept(value);
    if (!assign) {
      return where(node) + place + name + " = " + print(node) + " is not accepted; it takes " + known->form;
    }
    accepted.push_back(std::move(*assign));
    return "";
  }

  std::string all_rows(const Tables& kind, const toml::node& node) {
    const auto* const array = node.as_array();
    if (array == nullptr) {
      return where(node) + place + kind.name + " may come several times, so it is written [[" +
             (tables.empty() ? "" : tables + ".") + kind.name + "]]";
    }
    accepted.push_back(kind.clear);
    int number = 0;
    for (const toml::node& item : *array) {
      const std::string row_name = place + kind.name + "[" + std::to_string(++number) + "]";
      if (!item.is_table()) {
        return where(item) + row_name + " = " + print(item) + " is not accepted; it takes a table of keys";
      }
      const RowInHand row = kind.fresh();
      Reading inner{.settings = *row.keys,
                    .file_name = file_name,
                    .place = row_name + ".",
                    .tables = (tables.empty() ? "" : tables + ".") + kind.name};
      if (std::string problem = inner.table(*item.as_table(), ""); !problem.empty()) {
        return problem;
      }
      inner.assign();  // only to the row in hand
      if (const std::string problem = row.check(); !problem.empty()) {
        return where(item).append(row_name).append(": ").append(problem);
      }
      accepted.push_back(row.keep);
    }
    return "";
  }

  void assign() const {
    for (const Assign& each : accepted) {
      each();
    }
  }
};

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
  Reading reading{.settings = *this, .file_name = file_name};
  if (std::string problem = reading.table(root, ""); !problem.empty()) {
    return Failure{std::move(problem)};
  }
  reading.assign();
  return boost::system::in_place_value;
}

}  // namespace hearthcast::runtime
