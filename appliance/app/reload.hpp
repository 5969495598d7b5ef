// Reading the settings file again while the box runs.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "appliance/api/services.hpp"
#include "appliance/app/box_settings.hpp"

namespace hearthcast::app {

class Reload {
 public:
  // `running` is what the file said when the box started. apply is given settings that were accepted whole.
  Reload(std::filesystem::path file, BoxSettings running, std::function<void(const BoxSettings&)> apply);

  // What is in force now, in words; a Failure when the file was not accepted and nothing changed.
  [[nodiscard]] Result<api::Reloaded, Failure> operator()();

 private:
  std::filesystem::path file_;
  BoxSettings running_;
  std::function<void(const BoxSettings&)> apply_;
};

}  // namespace hearthcast::app
