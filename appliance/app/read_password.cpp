#include "appliance/app/read_password.hpp"

#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace hearthcast::app {

std::optional<std::string> read_password(const std::string& prompt) {
  termios shown{};
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &shown) == 0;
  if (terminal) {
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    std::cerr << prompt << std::flush;
  }
  std::string line;
  const bool read = static_cast<bool>(std::getline(std::cin, line));
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    std::cerr << "\n";
  }
  return read && !line.empty() ? std::optional(line) : std::nullopt;
}

}  // namespace hearthcast::app
