// What the client remembers between runs, one file each in its state folder. Each file is replaced whole or
// not at all, so a full disk or a power cut leaves the former one; a damaged file counts as missing and is
// said so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/signalling/introduction.hpp"
#include "tunnelmgr/signalling/pairing_code.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"
#include "tunnelmgr/tunnel/reach.hpp"

namespace hearthcast::away {

// The box that this client is paired with.
struct BoxRecord {
  Buffer public_key;  // SubjectPublicKeyInfo, DER
  std::string name;
  std::optional<signalling::RendezvousAddress> rendezvous;
  std::vector<Endpoint> addresses;             // of its HTTPS server at home
  std::vector<tunnel::ReachAddress> manual{};  // where the owner of this device says that it is
  friend bool operator==(const BoxRecord&, const BoxRecord&) = default;
};

struct Memory {
  std::uint16_t port = 0;                    // UDP, kept so that the NATs' mappings and filters stay of use
  std::vector<Endpoint> endpoints;           // where the box was reached, newest first, at most kMaxEndpoints
  std::vector<Endpoint> candidates;          // of the box's last introduction
  std::vector<tunnel::ReachAddress> told{};  // where the box said in the tunnel that it is
  signalling::Freshness own;                 // of the last introduction that this client sent
  signalling::Freshness box;                 // of the last one accepted from the box
  friend bool operator==(const Memory&, const Memory&) = default;

  static constexpr std::size_t kMaxEndpoints = 8;
  void reached(const Endpoint& endpoint);  // puts it first
};

class StateFolder {
 public:
  explicit StateFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] Result<void, Failure> prepare() const;  // makes the folder, mode 0700
  [[nodiscard]] std::filesystem::path identity_file() const { return folder_ / "identity.pem"; }

  // nullopt: no file. A Failure: there is one, but it cannot be read or makes no sense.
  [[nodiscard]] Result<std::optional<BoxRecord>, Failure> load_box() const;
  [[nodiscard]] Result<std::optional<Memory>, Failure> load_memory() const;
  [[nodiscard]] Result<std::optional<tunnel::ChannelList>, Failure> load_channels() const;

  [[nodiscard]] Result<void, Failure> save(const BoxRecord& box) const;
  [[nodiscard]] Result<void, Failure> save(const Memory& memory) const;
  [[nodiscard]] Result<void, Failure> save(const tunnel::ChannelList& channels) const;
  void forget_channels() const;  // of another box

 private:
  std::filesystem::path folder_;
};

}  // namespace hearthcast::away
