// Which uploads are under way and on which server. Runs inside a unit of work of `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace vitrine::store {

struct RunningUpload {
  BlobId id;
  Time touched_at;
};

class RunningUploads {
public:
  explicit RunningUploads(Connection& connection) : connection_(connection) {}

  Result<> add(BlobId const& id, std::string_view server, Time now);
  /// Whether it was there.
  Result<bool> remove(BlobId const& id);
  Result<> remove_of(std::string_view server);
  /// Those that are still as they were found.
  Result<> remove_unchanged(std::span<RunningUpload const> found);
  /// Those that are there; the others stay away.
  Result<> touch(std::span<BlobId const> ids, Time now);
  Result<std::vector<RunningUpload>> all();

private:
  Connection& connection_;
};

} // namespace vitrine::store
