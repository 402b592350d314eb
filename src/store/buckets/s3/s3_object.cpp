#include "store/buckets/s3/s3_object.hpp"

#include "store/s3/ranges.hpp"

#include <thread>
#include <utility>

namespace vitrine::store::s3 {
namespace {

constexpr std::size_t kReadBytes = 4U << 20U; // as a read of a blob: a round trip each
// How often a stream that broke is taken up again without having got on by so much meanwhile.
constexpr int kAttempts = 5;
constexpr std::uint64_t kGotOnBytes = Block::kBytes;

Error changed() {
  return error(Fault::object_unreadable, "The object was changed while it was read.");
}

// An object that was opened is there; when it is not any more, somebody removed it.
Error while_reading(Error failure) {
  return failure.fault == Fault::not_found ? changed() : failure;
}

} // namespace

/// How far a stream is: what came, and what of it was handed on.
class S3Object::Progress {
public:
  Progress(std::uint64_t offset, std::uint64_t count, Room const& room, Take const& take)
      : next_(offset), left_(count), room_(room), take_(take) {}

  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  [[nodiscard]] std::uint64_t left() const noexcept { return left_; }
  [[nodiscard]] std::optional<Error> const& refused() const noexcept { return refused_; }

  /// Keeps the bytes that came next and hands on each block that is full. Error: that of `take`,
  /// which `refused` has from then on; `unavailable` for more bytes than were asked for.
  Result<> add(std::span<std::byte const> bytes) {
    if (bytes.size() > left_) return error(Fault::bucket_unavailable);
    while (!bytes.empty()) {
      if (!block_) block_ = room_();
      auto const count = block_.append(bytes);
      next_ += count;
      left_ -= count;
      bytes = bytes.subspan(count);
      if (block_.size() == Block::kBytes || left_ == 0) TRY(hand_on());
    }
    return {};
  }

private:
  Result<> hand_on() {
    auto const taken = take_(std::exchange(block_, {}));
    if (!taken) refused_ = taken.error();
    return taken;
  }

  std::uint64_t next_; ///< offset of the byte to come
  std::uint64_t left_;
  Room const& room_;
  Take const& take_;
  Block block_; ///< with bytes, or none
  std::optional<Error> refused_;
};

std::size_t S3Object::read_bytes_best() const noexcept { return kReadBytes; }

Result<> S3Object::read(std::uint64_t offset, std::span<std::byte> into) {
  auto const got = read_range(calls_, key_, info_.etag, offset, into);
  return got ? Result<>() : while_reading(got.error());
}

// Not every store heeds If-Match on a read.
bool S3Object::is_same(net::client::Response const& head) const {
  return head.status == 206 && head.header("ETag").value_or("") == info_.etag;
}

/// One request, for all that is left.
Result<> S3Object::stream_on(Progress& progress) const {
  std::optional<Error> other;
  auto const take = [&](net::client::Response const& head,
                        std::span<std::byte const> bytes) -> Result<> {
    if (is_same(head)) return progress.add(bytes);
    other = changed();
    return *other;
  };
  auto const got =
      calls_.send({.key = key_,
                   .headers = range_headers(progress.next(), progress.left(), info_.etag),
                   .download = take,
                   .attempts = 1});
  if (progress.refused()) return *progress.refused();
  if (other) return *other;
  return got ? Result<>() : while_reading(got.error());
}

Result<> S3Object::stream(std::uint64_t offset, std::uint64_t count, Room const& room,
                          Take const& take) {
  Progress progress(offset, count, room, take);
  auto pause = calls_.options().pause;
  for (int left = kAttempts; progress.left() > 0;) {
    auto const before = progress.next();
    auto const got = stream_on(progress);
    if (progress.refused() || progress.left() == 0) return got;
    if (!got && got.error().kind() != Kind::unavailable) return got;
    if (progress.next() - before >= kGotOnBytes) {
      left = kAttempts;
      pause = calls_.options().pause;
    }
    if (--left == 0) return error(Fault::bucket_unavailable);
    std::this_thread::sleep_for(pause);
    pause = longer(pause);
  }
  return {};
}

} // namespace vitrine::store::s3
