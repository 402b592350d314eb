// An object on its way in: at once when it fits one part, else in parts of one size.
#pragma once

#include "base/bytes_writer.hpp"
#include "base/hash.hpp"
#include "store/s3/calls.hpp"
#include "store/s3/checksum.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <string>
#include <vector>

namespace vitrine::store::s3 {

/// Parts of `usual` bytes, or larger ones so that as many bytes as announced fit in as many parts
/// as there may be.
std::size_t part_bytes_for(std::size_t usual, std::uint64_t size_bytes);

/// The header that keeps the mark of an object with it.
inline constexpr std::string_view kMarkHeader = "x-amz-meta-vitrine-upload";

/// Ends an upload in parts without an object; success when there is none.
Result<> drop_parts(Calls const& calls, std::string_view key, std::string_view upload,
                    int attempts);

/// Errors: `object_exists`; those of the calls.
Result<> needs_no_object(Calls const& calls, std::string_view key);

/// Holds three parts at most: two are sent while the next one fills and is hashed.
///
/// Each request is signed with the SHA-256 of its body. A store that says that it checks CRC-32 is
/// told those of the parts, too, and at the end that of the whole: nothing else covers what it
/// makes of the parts.
///
/// With a mark it replaces no object: `commit` fails with `object_exists` (412 is what the meaning
/// of the calls must take for that), unless that one has the mark and the size, too. A store may
/// ignore the condition when parts are put together, so `commit` also looks just before: whoever
/// else writes the object in between is overwritten there.
class ObjectWriter final : public BytesWriter {
public:
  /// `last_look` is asked before each request that could put the object there, and its error is
  /// that of `commit`.
  ObjectWriter(Calls calls, std::string key, std::size_t part_bytes, std::string mark = {},
               std::function<Result<>()> last_look = {});
  ~ObjectWriter() override;

  Result<> write(std::span<std::byte const> bytes) override;
  Result<> commit() override;

private:
  /// A part on its way. It stays where it is until its answer is there.
  struct Part {
    std::string bytes;
    std::string sha256;
    Checksum checksum;
    std::future<Result<std::string>> etag{};
  };

  struct SentPart {
    std::string etag;
    std::string checksum;
  };

  Result<> begin();
  [[nodiscard]] Ask ask_for_upload() const;
  Result<std::string> begin_checked() const;
  Result<> start_part();
  Result<> oldest_sent();
  Result<> put();
  Result<> complete();
  Result<> settle(Error failure) const;
  [[nodiscard]] bool is_there() const;
  [[nodiscard]] std::vector<net::Header> marks() const;
  [[nodiscard]] std::vector<net::Header> conditions() const;
  [[nodiscard]] std::string listed_parts() const;
  [[nodiscard]] Result<std::string> send(Part const& part, std::size_t number) const;

  Calls const calls_;
  std::string const key_;
  std::size_t const part_bytes_;
  std::string const mark_; ///< kept with the object, to know it by; or empty
  std::function<Result<>()> const last_look_;
  std::string filling_;
  std::string spare_; ///< memory of a part that was sent
  Hash filling_hash_{HashAlgorithm::sha256};
  Checksum filling_checksum_;
  std::uint64_t size_bytes_{0};
  std::string upload_;         ///< id of the multipart upload, empty before the first part
  bool is_checked_{false};     ///< the upload, by the store: it is told checksums
  std::vector<SentPart> sent_; ///< in order
  std::deque<Part> under_way_; ///< those after them, in order
  Checksum checksum_;          ///< of the parts sent
  bool completed_{false};      ///< there are no parts any more
};

} // namespace vitrine::store::s3
