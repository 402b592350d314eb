#include "identity/builtin/secret_seal.hpp"

#include "base/ids.hpp"
#include "base/text.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sodium.h>
#include <span>
#include <unistd.h>
#include <vector>

namespace vitrine::identity::builtin {
namespace {

constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

unsigned char const* bytes_of(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

std::string name_of(std::span<std::uint8_t const> key) {
  constexpr std::string_view kWhat = "vitrine access keys";
  std::array<std::uint8_t, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(digest.data(), digest.size(), bytes_of(kWhat), kWhat.size(), key.data(),
                     key.size());
  return text::hex(digest);
}

// In one step, so that nobody reads a file that is half written, and of two makers one wins.
bool write_new(std::string const& file, std::string const& line) {
  auto const temporary = file + "." + new_hex_id();
  int const descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  auto const written = ::write(descriptor, line.data(), line.size());
  bool done = written == static_cast<ssize_t>(line.size()) && ::fsync(descriptor) == 0;
  ::close(descriptor);
  done = done && (::link(temporary.c_str(), file.c_str()) == 0 || errno == EEXIST);
  ::unlink(temporary.c_str());
  return done;
}

} // namespace

Result<std::optional<SecretSeal::Key>> SecretSeal::read() {
  std::lock_guard const lock(mutex_);
  if (key_) return key_;
  std::ifstream in(file_);
  std::string line;
  if (!in) {
    if (::access(file_.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<Key>();
    return error(Fault::unavailable, "cannot read " + file_);
  }
  std::getline(in, line);
  auto const bytes = text::from_hex(text::trim(line));
  Key key;
  if (!bytes || bytes->size() != key.bytes.size()) {
    return error(Fault::unavailable, file_ + " does not hold 64 hex digits");
  }
  std::ranges::copy(*bytes, key.bytes.begin());
  key.name = name_of(key.bytes);
  key_ = key;
  return key_;
}

Result<SecretSeal::Key> SecretSeal::make() {
  std::array<std::uint8_t, 32> fresh{};
  randombytes_buf(fresh.data(), fresh.size());
  if (!write_new(file_, text::hex(fresh) + "\n")) {
    return error(Fault::unavailable, "cannot write " + file_);
  }
  auto made = TRY(read());
  if (!made) return error(Fault::unavailable, "cannot read " + file_);
  return std::move(*made);
}

Result<std::string> SecretSeal::seal(std::string_view secret, std::string_view purpose,
                                     std::optional<std::string> const& earlier) {
  auto key = TRY(read());
  if (earlier && (!key || !earlier->starts_with(key->name + "."))) {
    return error(Fault::unavailable,
                 file_ + " is not the file that sealed the access keys that are there; copy it "
                         "from the server that made them");
  }
  if (!key) key = TRY(make());
  std::vector<std::uint8_t> sealed(kNonceBytes + secret.size() + kTagBytes);
  randombytes_buf(sealed.data(), kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonceBytes, nullptr, bytes_of(secret),
                                             secret.size(), bytes_of(purpose), purpose.size(),
                                             nullptr, sealed.data(), key->bytes.data());
  return key->name + "." + text::base64url(sealed);
}

Result<std::string> SecretSeal::open(std::string_view sealed, std::string_view purpose) {
  auto const refused = [this](std::string_view why) {
    ops::log_error("identity.access_key_sealed", {{"file", file_}, {"detail", why}});
    return error(Fault::unavailable);
  };
  auto const key = read();
  if (!key) return refused(key.error().detail);
  auto const dot = sealed.find('.');
  if (!*key || dot == std::string_view::npos || sealed.substr(0, dot) != (*key)->name) {
    return refused("the file is missing, or another one sealed the access keys");
  }
  auto const bytes = text::from_base64url(sealed.substr(dot + 1));
  if (!bytes || bytes->size() < kNonceBytes + kTagBytes) return refused("a secret was changed");
  std::string secret(bytes->size() - kNonceBytes - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(secret.data()), nullptr, nullptr,
          bytes->data() + kNonceBytes, bytes->size() - kNonceBytes, bytes_of(purpose),
          purpose.size(), bytes->data(), (*key)->bytes.data()) != 0) {
    return refused("a secret was changed");
  }
  return secret;
}

} // namespace vitrine::identity::builtin
