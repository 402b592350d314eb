#include "store/keys/builtin/keyring.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"
#include "store/keys/key_names.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vitrine::store {
namespace {

constexpr std::string_view kFirstLine = "vitrine keyring 1";
constexpr std::size_t kFields = 5;
constexpr std::size_t kHexBytes = 2 * Secret::kBytes;

Error failure(std::filesystem::path const& file, std::string_view what) {
  return error(Fault::unavailable, fmt::format("the keyring {}: {}", file.string(), what));
}

Error failure(std::filesystem::path const& file, std::string_view what, int code) {
  return failure(file, fmt::format("cannot {}: {}", what, std::strerror(code)));
}

// What a client is told of it.
Error without_place(Error const& failed) {
  if (failed.kind() != Kind::unavailable) return failed;
  ops::log_error("keys.keyring_failed", {{"detail", failed.detail}});
  return error(Fault::unavailable, "The keys of encrypted images cannot be used now.");
}

class Descriptor {
public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  explicit operator bool() const { return descriptor_ >= 0; }
  [[nodiscard]] int get() const { return descriptor_; }

private:
  int const descriptor_;
};

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// Straight into the page of the secret: nothing else may hold the key.
std::optional<Secret> secret_of(std::string_view hex) {
  bool const fits = hex.size() == kHexBytes && std::ranges::all_of(hex, [](char c) {
                      return text::is_digit(c) || (c >= 'a' && c <= 'f');
                    });
  if (!fits) return std::nullopt;
  Secret secret;
  for (std::size_t i = 0; i < Secret::kBytes; ++i) {
    secret.room()[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  }
  return secret;
}

void append_hex(std::span<char>& room, Secret const& secret) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (auto const byte : secret.bytes()) {
    room[0] = kDigits[byte / 16U];
    room[1] = kDigits[byte % 16U];
    room = room.subspan(2);
  }
}

void append(std::span<char>& room, std::string_view text) {
  std::ranges::copy(text, room.begin());
  room = room.subspan(text.size());
}

std::string head_of(Key const& key) {
  return fmt::format("{} {} {} ", key.id, key.state == KeyState::enabled ? "enabled" : "disabled",
                     key.created_at.us);
}

Result<> write_all(int descriptor, std::filesystem::path const& file, std::span<char const> bytes) {
  while (!bytes.empty()) {
    auto const written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(file, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Of a command that root gives, what it makes is the service's all the same: it belongs to whom the
// keyring belongs, or its directory before there is one.
Result<> give_to_owner(int descriptor, std::filesystem::path const& keyring) {
  if (::geteuid() != 0) return {};
  struct stat status{};
  auto const directory = keyring.has_parent_path() ? keyring.parent_path() : ".";
  if (::stat(keyring.c_str(), &status) != 0 && ::stat(directory.c_str(), &status) != 0) {
    return failure(keyring, "find its owner", errno);
  }
  if (::fchown(descriptor, status.st_uid, status.st_gid) == 0) return {};
  return failure(keyring, "give it to its owner", errno);
}

} // namespace

/// Held by who changes the file, so that no change of another process is lost.
class Keyring::Lock {
public:
  static Result<std::unique_ptr<Lock>> take(std::filesystem::path const& keyring) {
    auto const path = keyring.string() + ".lock";
    int const descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return failure(keyring, "open its lock", errno);
    std::unique_ptr<Lock> lock(new Lock(descriptor));
    TRY(give_to_owner(descriptor, keyring));
    if (::flock(descriptor, LOCK_EX) != 0) return failure(keyring, "lock", errno);
    return lock;
  }

private:
  explicit Lock(int descriptor) : descriptor_(descriptor) {}
  Descriptor const descriptor_;
};

Result<std::unique_ptr<Keyring>> Keyring::open(std::filesystem::path file, Clock const& clock) {
  std::unique_ptr<Keyring> keyring(new Keyring(std::move(file), clock));
  std::lock_guard const lock(keyring->mutex_);
  TRY(keyring->refresh());
  return keyring;
}

/// Reads the file if it has changed. When that fails, what was read before is not used any more: a
/// key may have been disabled.
Result<> Keyring::refresh() {
  Descriptor const file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    bool const was_there = version_ != Version{};
    if (errno != ENOENT || was_there) return failure(file_, "open", errno);
    entries_.clear();
    version_ = {};
    return {};
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failure(file_, "stat", errno);
  if ((status.st_mode & 077U) != 0) {
    return failure(file_, "others than its owner may use it; chmod 600");
  }
  Version const version{status.st_ino, status.st_size,
                        status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  if (version == version_) return {};
  forbid_core_dumps(); // before the first key is in memory
  entries_ = TRY(read(file.get(), static_cast<std::size_t>(status.st_size)));
  version_ = version;
  return {};
}

Result<> Keyring::refresh_for_client() {
  auto const refreshed = refresh();
  if (!refreshed) return without_place(refreshed.error());
  return {};
}

Result<Keyring::Entries> Keyring::read(int descriptor, std::size_t size_bytes) const {
  SecretText content(size_bytes);
  std::size_t got = 0;
  while (got < size_bytes) {
    auto const count = ::read(descriptor, content.room().data() + got, size_bytes - got);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(file_, "read", errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  std::string_view const all(content.room().data(), got);
  auto const lines = text::split(all, '\n');
  Entries entries;
  bool good = all.ends_with('\n') && lines.front() == kFirstLine;
  for (std::size_t i = 1; good && i + 1 < lines.size(); ++i) {
    auto const fields = text::split(lines[i], ' ');
    good = fields.size() == kFields && is_uuid(fields[0]);
    if (!good) break;
    auto const created = text::parse_int(fields[2]);
    auto secret = secret_of(fields[3]);
    bool const enabled = fields[1] == "enabled";
    good = created && secret && (enabled || fields[1] == "disabled");
    if (!good) break;
    entries.push_back({{.id = std::string(fields[0]),
                        .name = std::string(fields[4]),
                        .state = enabled ? KeyState::enabled : KeyState::disabled,
                        .created_at = Time{*created}},
                       std::move(*secret)});
  }
  if (!good) return failure(file_, "is not one of this service");
  return entries;
}

Result<> Keyring::write() const {
  std::size_t size_bytes = kFirstLine.size() + 1;
  for (auto const& entry : entries_) {
    size_bytes += head_of(entry.key).size() + kHexBytes + 1 + entry.key.name.size() + 1;
  }
  SecretText content(size_bytes);
  auto room = content.room();
  append(room, fmt::format("{}\n", kFirstLine));
  for (auto const& entry : entries_) {
    append(room, head_of(entry.key));
    append_hex(room, entry.secret);
    append(room, fmt::format(" {}\n", entry.key.name));
  }
  auto const fresh = file_.string() + ".new";
  ::unlink(fresh.c_str()); // of a process that was killed
  Descriptor const file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failure(file_, "create", errno);
  TRY(give_to_owner(file.get(), file_));
  TRY(write_all(file.get(), file_, content.room()));
  if (::fsync(file.get()) != 0) return failure(file_, "sync", errno);
  if (::rename(fresh.c_str(), file_.c_str()) != 0) return failure(file_, "rename", errno);
  auto const directory = file_.has_parent_path() ? file_.parent_path() : std::filesystem::path(".");
  Descriptor const home(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!home || ::fsync(home.get()) != 0) return failure(file_, "sync its directory", errno);
  return {};
}

Keyring::Entry* Keyring::find(std::string_view key) {
  auto const at = std::ranges::find(
      entries_, key, [](Entry const& entry) -> std::string_view { return entry.key.id; });
  return at == entries_.end() ? nullptr : &*at;
}

Key const* Keyring::named(std::string_view name) const {
  auto const at = std::ranges::find(
      entries_, name, [](Entry const& entry) -> std::string_view { return entry.key.name; });
  return at == entries_.end() ? nullptr : &at->key;
}

Result<Keyring::Entry const*> Keyring::usable(std::string_view key) {
  auto const* const entry = find(key);
  if (entry == nullptr) return error(Fault::key_missing);
  if (entry->key.state != KeyState::enabled) return error(Fault::key_disabled);
  return entry;
}

Result<KeyState> Keyring::state(std::string_view key) {
  std::lock_guard const lock(mutex_);
  TRY(refresh_for_client());
  auto const* entry = find(key);
  return entry == nullptr ? KeyState::missing : entry->key.state;
}

Result<std::string> Keyring::default_key(ProjectId const& project) {
  if (!is_project_id(project.text)) return error(Fault::invalid_project_id);
  std::lock_guard const lock(mutex_);
  auto id = find_default_key(default_key_name(project));
  if (!id) return without_place(id.error());
  return id;
}

Result<KeyState> Keyring::default_key_state(ProjectId const& project) {
  std::lock_guard const lock(mutex_);
  TRY(refresh_for_client());
  auto const* key = named(default_key_name(project));
  return key == nullptr ? KeyState::missing : key->state;
}

/// Makes it if there is none.
Result<std::string> Keyring::find_default_key(std::string const& name) {
  TRY(refresh());
  if (auto const* key = named(name)) return key->id;
  auto const held = TRY(Lock::take(file_));
  TRY(refresh());
  if (auto const* key = named(name)) return key->id;
  return TRY(add(name)).id;
}

Result<WrappedKey> Keyring::wrap(std::string_view key, Secret const& data_key,
                                 std::string_view bound_to) {
  std::lock_guard const lock(mutex_);
  TRY(refresh_for_client());
  auto const* entry = TRY(usable(key));
  return WrappedKey{std::string(key), wrap_with(entry->secret, key, data_key, bound_to)};
}

Result<Secret> Keyring::unwrap(WrappedKey const& wrapped, std::string_view bound_to) {
  std::lock_guard const lock(mutex_);
  TRY(refresh_for_client());
  auto const* entry = TRY(usable(wrapped.key));
  return unwrap_with(entry->secret, wrapped, bound_to);
}

Result<std::vector<Key>> Keyring::list() {
  std::lock_guard const lock(mutex_);
  TRY(refresh());
  std::vector<Key> keys;
  for (auto const& entry : entries_)
    keys.push_back(entry.key);
  return keys;
}

Result<Key> Keyring::create(std::string_view name) {
  TRY(check_key_name(name));
  std::lock_guard const lock(mutex_);
  auto const held = TRY(Lock::take(file_));
  TRY(refresh());
  bool const taken =
      std::ranges::any_of(entries_, [&](Entry const& entry) { return entry.key.name == name; });
  if (taken) return error(Fault::name_taken, fmt::format("there is a key named {}", name));
  return add(name);
}

/// Adds a key to the file, whose lock is held.
Result<Key> Keyring::add(std::string_view name) {
  forbid_core_dumps();
  Key key{.id = new_uuid(),
          .name = std::string(name),
          .state = KeyState::enabled,
          .created_at = clock_.now()};
  entries_.push_back({key, Secret::random()});
  if (auto const written = write(); !written) {
    entries_.pop_back();
    return Error(written.error());
  }
  return key;
}

Result<> Keyring::set_enabled(std::string_view key, bool enabled) {
  std::lock_guard const lock(mutex_);
  auto const held = TRY(Lock::take(file_));
  TRY(refresh());
  auto* const entry = find(key);
  if (entry == nullptr) return error(Fault::key_missing);
  auto const before = entry->key.state;
  entry->key.state = enabled ? KeyState::enabled : KeyState::disabled;
  auto const written = write();
  if (!written) entry->key.state = before;
  return written;
}

} // namespace vitrine::store
