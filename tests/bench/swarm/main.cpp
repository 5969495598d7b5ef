// A swarm of away devices in one process, to load a running box as many households' worth of laptops would.
// Usage: tunnel_swarm DEVICES GROUPS SOURCES: each device wants so many groups of its own, each from so many
// sources (group ff3e::8000:N, source 2001:db8:64::1:N, port 5000).
//
// One command a line on standard input, one answer a line on standard output, whatever else goes on
// meanwhile:
//   keys                        each device's public key in hexadecimal, all in one line
//   connect ADDRESS PORT KEY    to the box with that public key; answers when every device is greeted
//   join, leave                 all that each device wants
//   same RATE SECONDS           so many reports a second in all, of what is wanted already: one group in each
//   change RATE SECONDS         the same, but each lets half of its group's sources go, or takes them again
//   status                      sessions begun, refusals heard, reports that could not be sent
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "tests/bench/swarm/device.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace {

using namespace hearthcast;
using namespace std::chrono_literals;

constexpr std::uint64_t kInputToken = 1'000'000;
constexpr std::uint16_t kPort = 5000;

IpAddress address(std::initializer_list<std::uint8_t> head, unsigned number) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(head.begin(), head.end(), octets.begin());
  octets[13] = static_cast<std::uint8_t>(octets[13] + (number >> 16));
  octets[14] = static_cast<std::uint8_t>(number >> 8);
  octets[15] = static_cast<std::uint8_t>(number);
  return *IpAddress::from_bytes(octets);
}
IpAddress group(unsigned number) { return address({0xFF, 0x3E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}, number); }
IpAddress source(unsigned number) {
  return address({0x20, 0x01, 0x0D, 0xB8, 0, 0x64, 0, 0, 0, 0, 0, 0, 0, 1}, number);
}

struct Storm {
  bool change = false;
  double rate = 0;
  std::uint64_t total = 0;
  std::uint64_t sent = 0;
  Time start{};
};

class Swarm {
 public:
  Swarm(unsigned devices, unsigned groups, unsigned sources) : groups_(groups), sources_(sources) {
    for (unsigned i = 0; i < devices; ++i) {
      devices_.push_back(std::make_unique<swarm::Device>());
      add(devices_.back()->fd(), i);
    }
    add(STDIN_FILENO, kInputToken);
  }
  void run();

 private:
  void add(int fd, std::uint64_t token) {
    if (!epoll_.add(fd, token)) {
      throw std::runtime_error("too many descriptors");
    }
  }
  void read_commands(Time now);
  void obey(const std::string& line, Time now);
  void connect(std::istringstream& words, Time now);
  void tell_all(bool wanted, Time now);
  void blow(Time now);
  [[nodiscard]] std::vector<wire::GroupRecord> report(std::uint64_t number) const;
  [[nodiscard]] FlowKey flow(std::size_t device, unsigned at, unsigned of) const {
    return {source(of), group(static_cast<unsigned>(device) * groups_ + at), kPort};
  }
  void answer(const std::string& text) { std::cout << text << std::endl; }

  unsigned groups_;
  unsigned sources_;
  std::vector<std::unique_ptr<swarm::Device>> devices_;
  linux::Epoll epoll_;
  linux::ReceiveBatch batch_;
  std::string input_;
  std::optional<Storm> storm_;
  bool connecting_ = false;
  bool ended_ = false;
};

void Swarm::run() {
  while (!ended_) {
    Time next = storm_ ? Clock::now() + 1ms : kNever;
    for (const auto& device : devices_) {
      next = std::min(next, device->next_deadline());
    }
    const auto events = epoll_.wait(next);
    const Time now = Clock::now();
    for (const auto& event : events) {
      if (event.token == kInputToken) {
        read_commands(now);
      } else {
        devices_[event.token]->on_readable(batch_, now);
      }
    }
    for (const auto& device : devices_) {
      if (device->next_deadline() <= now) {
        device->on_deadline(now);
      }
    }
    if (storm_) {
      blow(now);
    }
    if (connecting_ &&
        std::all_of(devices_.begin(), devices_.end(), [](const auto& d) { return d->connected(); })) {
      connecting_ = false;
      answer("connected");
    }
  }
}

void Swarm::read_commands(Time now) {
  std::array<char, 4096> room{};
  const auto size = ::read(STDIN_FILENO, room.data(), room.size());
  if (size <= 0) {
    ended_ = true;
    return;
  }
  input_.append(room.data(), static_cast<std::size_t>(size));
  for (auto end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    obey(line, now);
  }
}

void Swarm::obey(const std::string& line, Time now) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  if (command == "keys") {
    std::string keys;
    for (const auto& device : devices_) {
      keys += (keys.empty() ? "" : " ") + to_hex(device->public_key());
    }
    answer(keys);
  } else if (command == "connect") {
    connect(words, now);
  } else if (command == "join" || command == "leave") {
    tell_all(command == "join", now);
    answer("told");
  } else if (command == "same" || command == "change") {
    Storm storm{.change = command == "change", .rate = 0, .total = 0, .sent = 0, .start = now};
    double seconds = 0;
    words >> storm.rate >> seconds;
    storm.total = static_cast<std::uint64_t>(storm.rate * seconds);
    storm_ = storm;
  } else if (command == "status") {
    std::uint64_t sessions = 0, refusals = 0, unsent = 0;
    for (const auto& device : devices_) {
      sessions += device->sessions();
      refusals += device->refusals();
      unsent += device->unsent();
    }
    answer(std::to_string(sessions) + " " + std::to_string(refusals) + " " + std::to_string(unsent));
  } else {
    answer("what?");
  }
}

void Swarm::connect(std::istringstream& words, Time now) {
  std::string where, key_text;
  unsigned port = 0;
  words >> where >> port >> key_text;
  const auto box = IpAddress::parse(where);
  const auto key = from_hex(key_text);
  if (!box || !key || port == 0 || port > 65535) {
    answer("what?");
    return;
  }
  for (const auto& device : devices_) {
    device->connect(*key, {*box, static_cast<std::uint16_t>(port)}, now);
  }
  connecting_ = true;
}

void Swarm::tell_all(bool wanted, Time now) {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    for (unsigned g = 0; g < groups_; ++g) {
      for (unsigned s = 0; s < sources_; ++s) {
        if (wanted) {
          devices_[i]->want(flow(i, g, s), now);
        } else {
          devices_[i]->unwant(flow(i, g, s), now);
        }
      }
    }
  }
}

// Goes round all groups, device by device; in a storm of changes every other round takes back what the one
// before let go, so that all is wanted again after an even number of rounds.
std::vector<wire::GroupRecord> Swarm::report(std::uint64_t number) const {
  const std::uint64_t all = devices_.size() * groups_;
  const bool fewer = storm_->change && number / all % 2 == 0;
  wire::GroupRecord record{
      storm_->change ? wire::RecordType::kChangeToInclude : wire::RecordType::kModeIsInclude,
      group(static_cast<unsigned>(number % all / devices_.size() + number % devices_.size() * groups_))};
  for (unsigned s = 0; s < (fewer ? sources_ / 2 : sources_); ++s) {
    record.sources.push_back(source(s));
  }
  return {std::move(record)};
}

void Swarm::blow(Time now) {
  const double passed = std::chrono::duration<double>(now - storm_->start).count();
  const auto due = std::min(storm_->total, static_cast<std::uint64_t>(passed * storm_->rate));
  for (; storm_->sent < due; ++storm_->sent) {
    devices_[storm_->sent % devices_.size()]->say(report(storm_->sent));
  }
  if (storm_->sent == storm_->total) {
    const auto sent = storm_->sent;
    storm_.reset();
    answer("sent " + std::to_string(sent) + " in " + std::to_string(passed) + " s");
  }
}

unsigned number(const char* text) {
  unsigned value = 0;
  const std::string_view all(text);
  return std::from_chars(all.data(), all.data() + all.size(), value).ptr == all.data() + all.size() ? value
                                                                                                    : 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const unsigned devices = argc == 4 ? number(argv[1]) : 0;
    if (devices == 0 || number(argv[2]) == 0 || number(argv[3]) == 0) {
      std::fputs("tunnel_swarm DEVICES GROUPS SOURCES\n", stderr);
      return 2;
    }
    Swarm(devices, number(argv[2]), number(argv[3])).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tunnel_swarm: %s\n", error.what());
    return 1;
  }
  return 0;
}
