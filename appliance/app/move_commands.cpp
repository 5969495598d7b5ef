#include "appliance/app/move_commands.hpp"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "appliance/app/control_client.hpp"
#include "appliance/app/read_password.hpp"
#include "appliance/household/export.hpp"
#include "tunnelmgr/linux/folder_lock.hpp"
#include "tunnelmgr/linux/private_file.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/passphrase_seal.hpp"

namespace hearthcast::app {
namespace {

int fail(int code, const std::string& text) {
  std::cerr << "hearthcast-box: " << text << "\n";
  return code;
}

// Twice where it is typed blind: a file that nobody can open is worth nothing.
std::optional<std::string> new_passphrase() {
  auto once = read_password("Passphrase for the file: ");
  if (once && ::isatty(STDIN_FILENO) == 1 && read_password("The same again: ") != once) {
    return std::nullopt;
  }
  return once;
}

}  // namespace

int export_box(const Mover& mover) {
  std::error_code unknown;
  if (!mover.force && std::filesystem::exists(mover.file, unknown)) {
    return fail(runtime::kRefused, mover.file.string() + " is there already; --force writes over it");
  }
  const auto passphrase = new_passphrase();
  if (!passphrase) {
    return fail(runtime::kWrongUsage, "no passphrase was given on standard input, or not the same twice");
  }
  const auto sealed =
      ask(mover.control_socket, {"POST", "/export", nlohmann::json{{"passphrase", *passphrase}}.dump()});
  if (!sealed) {
    return fail(sealed.error().exit_code, sealed.error().text);
  }
  if (const auto written = linux::write_private_file(
          mover.file, as_bytes(*sealed), mover.force ? linux::IfThere::kReplace : linux::IfThere::kFail);
      !written) {
    return fail(runtime::kFailed, written.error().text);
  }
  std::cout
      << "The box is in " << mover.file.string() << ": its identity, devices, grants and channels.\n"
      << "Whoever has the file and the passphrase can be this box. `hearthcast-box restore` takes it; let\n"
      << "one of the two live only.\n";
  return runtime::kFine;
}

int restore_box(const Mover& mover) {
  std::ifstream in(mover.file, std::ios::binary);
  const std::string octets((std::istreambuf_iterator<char>(in)), {});
  if (!in) {
    return fail(runtime::kWrongUsage, "the file " + mover.file.string() + " cannot be read");
  }
  std::error_code failed;
  std::filesystem::create_directories(mover.state_dir, failed);
  if (failed) {
    return fail(runtime::kFailed, "cannot make " + mover.state_dir.string() + ": " + failed.message());
  }
  const auto lock = linux::FolderLock::take(mover.state_dir);
  if (!lock) {
    return fail(runtime::kRefused, lock.error().text + "; stop it first");
  }
  const auto passphrase = read_password("Passphrase of the file: ");
  if (!passphrase) {
    return fail(runtime::kWrongUsage, "no passphrase was given on standard input");
  }
  const auto opened = secure::open_by_passphrase(as_bytes(octets), *passphrase);
  if (!opened) {
    return fail(runtime::kRefused, opened.error().text);
  }
  const auto box = store::decode_box_export(*opened);
  if (!box) {
    return fail(runtime::kRefused, "The file was opened, but holds no box.");
  }
  const auto identity = secure::identity_from_pem(box->identity);
  if (!identity) {
    return fail(runtime::kRefused, "The identity of the file is of no use: " + identity.error().text);
  }
  const auto restored = household::restore_box(*box, mover.state_dir, mover.force);
  if (!restored) {
    return fail(runtime::kRefused, restored.error().text);
  }
  std::cout << "Restored box " << identity->id().to_string().substr(0, 8) << " with " << restored->devices
            << " devices and " << restored->channels << " channels into " << mover.state_dir.string()
            << ".\n";
  if (!restored->former.empty()) {
    std::cout << "What was there before is in " << restored->former.string() << ".\n";
  }
  std::cout
      << "Start it when the one that it was taken from runs no more: two with one identity drive each other\n"
      << "out of the rendezvous, and devices reach now one, now the other.\n";
  return runtime::kFine;
}

}  // namespace hearthcast::app
