// The file side of identities.
#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tunnelmgr/secure/handles.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::secure {
namespace {

using std::filesystem::path;

constexpr std::size_t kMaxFile = 16384;

std::string reason() { return std::strerror(errno); }  // NOLINT(concurrency-mt-unsafe)

std::string to_pem(EVP_PKEY& key) {
  const BioHandle memory(BIO_new(BIO_s_mem()));
  if (!memory ||
      PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

// A power cut must not lose a name that was already given out.
void sync_folder(const path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

// Writes beside the file and links it into place: of two programs that start at once one wins, and no reader
// ever sees half a key.
Result<void, Failure> write_key(const path& file, std::string_view pem) {
  const path draft = file.string() + ".new." + std::to_string(::getpid());
  ::unlink(draft.c_str());
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Failure{"cannot write the identity key to " + draft.string() + ": " + reason() +
                   "; check that the folder exists and is writable"};
  }
  const bool written = write_all(fd, pem);
  const std::string why = written ? "" : reason();
  const bool closed = ::close(fd) == 0;
  if (!written || !closed) {
    ::unlink(draft.c_str());
    return Failure{"cannot write the identity key to " + draft.string() + ": " + (written ? reason() : why) +
                   "; free some space and start again"};
  }
  const bool linked = ::link(draft.c_str(), file.c_str()) == 0;
  const bool existed = !linked && errno == EEXIST;
  const std::string link_reason = linked ? "" : reason();
  ::unlink(draft.c_str());
  if (!linked && !existed) {
    return Failure{"cannot put the identity key at " + file.string() + ": " + link_reason};
  }
  sync_folder(file.has_parent_path() ? file.parent_path() : path("."));
  return boost::system::in_place_value;
}

}  // namespace

Result<OpenSslIdentity, Failure> identity_from_pem(std::string_view pem) {
  const BioHandle memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A callback that gives no passphrase: an encrypted key must fail, not ask on the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr),
                                EVP_PKEY_free);
  ERR_clear_error();
  return OpenSslIdentity::adopt(std::move(key));
}

Result<OpenSslIdentity, Failure> load_identity(const path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return Failure{"cannot read the identity key " + file.string() + ": " + reason()};
  }
  std::string text(kMaxFile, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto identity = identity_from_pem(text);
  if (!identity) {
    return Failure{file.string() + " holds no usable identity key (" + identity.error().text +
                   "); restore it from a backup, or move it away to start as a new device and pair again"};
  }
  return identity;
}

Result<OpenSslIdentity, Failure> load_or_make_identity(const path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0 && errno == ENOENT) {
    const std::string pem = to_pem(*make_identity().key());
    if (const auto written = write_key(file, pem); !written) {
      return written.error();
    }
  }
  return load_identity(file);  // what counts is what the file says, also when another process was faster
}

}  // namespace hearthcast::secure
