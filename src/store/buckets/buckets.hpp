// The buckets of the users, where images are imported from and exported to. The port; drivers lie
// beside it. Whose rights count is told with each call by ids alone: a job keeps no secret, and
// what it needs to reach a bucket is looked up again when it runs.
#pragma once

#include "base/blocks.hpp"
#include "base/bytes_writer.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/stored_bytes.hpp"
#include "model/object_url.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vitrine::store {

/// Who reaches for an object.
struct BucketUser {
  UserId user;
  ProjectId project;
};

struct ObjectInfo {
  std::uint64_t size_bytes{0};    ///< never 0
  std::string etag;               ///< another one for other bytes; no digest of them
  std::optional<Time> changed_at; ///< by the clock of the store, when it tells
  /// That it was created with; empty for an object of others. Nothing where no marks are kept.
  std::optional<std::string> mark;
};

/// How an object comes to be.
struct NewObject {
  std::string mark; ///< that it is known by; not empty
  /// How many bytes there may be, if that is known; without it a driver may take no more than
  /// 10,000 parts of the configured size (`too_large`).
  std::optional<std::uint64_t> size_bytes_max{};
  /// Asked by `commit` right before each step that could put the object there, as late as can be:
  /// its error is that of `commit`, and nothing was put there by that step. None: no question.
  std::function<Result<>()> last_look{};
};

/// An object as it was when it was opened: bytes that were changed since are never mixed in.
class BucketObject : public StoredBytes {
public:
  /// Gives memory for bytes to come.
  using Room = std::function<Block()>;
  /// Takes the next bytes; an error ends the reading.
  using Take = std::function<Result<>(Block)>;

  [[nodiscard]] virtual ObjectInfo const& info() const noexcept = 0;

  /// Reads `count` bytes, which must lie within the object, in order: in one request as long as
  /// nothing breaks, and on from where it stopped when something does. Each block but the last is
  /// full. `take` runs on the calling thread and may take its time. Errors: those of `take`;
  /// `object_unreadable` when the object was changed or removed, `bucket_refused`,
  /// `bucket_unavailable` when trying again did not help. `read` has the same.
  virtual Result<> stream(std::uint64_t offset, std::uint64_t count, Room const& room,
                          Take const& take) = 0;
};

/// Thread-safe. Every call has these errors beside its own: `no_object_store` when none is
/// configured; `bucket_refused` when there is no such bucket or the user may not reach it, never
/// told apart; `no_access_key`; `bucket_elsewhere`; `bucket_unavailable`; `identity_unavailable`.
class Buckets {
public:
  virtual ~Buckets() = default;

  /// Is there an object store at all?
  [[nodiscard]] virtual bool is_configured() const noexcept { return true; }

  /// An object to import. Error: `object_unreadable` when it is missing, empty, or in a storage
  /// class other than STANDARD (contract: ims-api 6.3.2).
  virtual Result<std::unique_ptr<BucketObject>> open(BucketUser const& user,
                                                     model::ObjectUrl const& url) = 0;

  /// An object to be exported. Once it is there with its mark and its size, another writer with the
  /// same mark commits with success. It is not there before `commit`, and then whole. Error, of
  /// `commit` too: `object_exists` (contract: ims-api 6.8), which a job that may have been killed
  /// while it committed has to expect of its own object.
  virtual Result<std::unique_ptr<BytesWriter>>
  create(BucketUser const& user, model::ObjectUrl const& url, NewObject object) = 0;

  /// Removes what writers of this object left unfinished that began at `since` or later, such as
  /// those of a killed process; success when there are none. What began more than 15 minutes before
  /// is not ours and stays: no store whose clock is further off takes our requests. A writer of
  /// the object that still works fails at its next call.
  virtual Result<> remove_unfinished(BucketUser const& user, model::ObjectUrl const& url,
                                     Time since) = 0;
};

/// How far clocks may be apart, for `remove_unfinished`.
inline constexpr std::int64_t kClocksApartUs = 15 * 60 * kMicrosecondsPerSecond;

} // namespace vitrine::store
