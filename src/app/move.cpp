#include "app/move.hpp"

#include "app/move_checks.hpp"
#include "app/stores.hpp"
#include "model/image_stores.hpp"
#include "service/blob_check.hpp"
#include "service/copy_blobs.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/copy_rows.hpp"
#include "store/metadata/sqlite/sqlite_database.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace vitrine::app {
namespace {

using Tell = std::function<void(std::string const&)>;

constexpr std::chrono::seconds kTellEvery{2};

std::string amount_of(service::CopiedBlobs const& blobs) {
  return fmt::format("{} blobs, {} bytes", blobs.blobs, blobs.bytes);
}

Error is_elsewhere(std::string_view name, std::int64_t blobs) {
  return error(Fault::unavailable, fmt::format("section [store.{}] leads to a place that has none "
                                               "of the {} blobs of the store",
                                               name, blobs));
}

// Else it would be made.
Result<> check_made(ops::StoreConfig const& store, store::StoreTotal const& total) {
  if (store.driver != ops::StorageDriver::file) return {};
  bool const is_made = TRY(store::FilesystemBlobs::is_made(store.directory));
  return is_made ? Result<>() : is_elsewhere(total.store, total.blobs);
}

// Data in further stores stays where it is: the new configuration must know them,
Result<> check_store_names(store::Database& database, ops::Config const& config) {
  auto const totals = TRY(database.read(
      [](store::Connection& connection) { return store::BlobIndex(connection).totals(); }));
  for (auto const& total : totals) {
    if (total.store.empty()) continue;
    auto const found = config.stores.find(total.store);
    if (found != config.stores.end()) {
      TRY(check_made(found->second, total));
      continue;
    }
    return error(Fault::invalid_value,
                 fmt::format("{} blobs are in the store '{}', of which the configuration has no "
                             "section [store.{}]",
                             total.blobs, total.store, total.store));
  }
  return {};
}

// What is wrong with the data of one store, and no more of it than can be read.
Error told(std::string_view where, std::span<store::BlobRow const> rows,
           std::vector<std::string> const& wrong) {
  constexpr std::size_t kToldMax = 10;
  auto const shown = std::min(wrong.size(), kToldMax);
  auto text = fmt::format("{}: {} of {} blobs are not there as they were stored; put them back, or "
                          "delete their images:\n  {}",
                          where, wrong.size(), rows.size(),
                          fmt::join(std::span(wrong).first(shown), "\n  "));
  if (wrong.size() > shown) {
    text += fmt::format("\n  and {} more, which `vitrine blobs check` names", wrong.size() - shown);
  }
  return error(Fault::conflict, std::move(text));
}

// What stays in a store must be there, with its size.
Result<> check_store(std::string_view name, std::string const& where,
                     std::span<store::BlobRow const> rows, store::Blobs& stores) {
  auto const sizes = service::stored_sizes_bytes(stores, rows);
  if (!sizes) {
    return error(sizes.error().fault, fmt::format("{}: {}", where, sizes.error().detail));
  }
  auto const is_gone = [](std::optional<std::int64_t> size) { return !size; };
  if (!name.empty() && std::ranges::all_of(*sizes, is_gone)) {
    return is_elsewhere(name, static_cast<std::int64_t>(rows.size()));
  }
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto const found = (*sizes)[i];
    if (found == rows[i].size_bytes) continue;
    auto const what = found ? fmt::format("has {} bytes, not {}", *found, rows[i].size_bytes)
                            : std::string("is missing");
    wrong.push_back(fmt::format("{} {}", model::id_in_store(rows[i].id).text, what));
  }
  std::ranges::sort(wrong);
  return wrong.empty() ? Result<>() : told(where, rows, wrong);
}

// Looks at what is not copied: what further stores hold and, where `first_stays`, the first one.
// Returns what is in that one.
Result<service::CopiedBlobs> check_what_stays(store::Database& database, store::Blobs& stores,
                                              std::string const& directory, bool first_stays) {
  auto const rows = TRY(database.read(
      [](store::Connection& connection) { return store::BlobIndex(connection).all(); }));
  std::map<std::string_view, std::vector<store::BlobRow>> by_store;
  for (auto const& row : rows) {
    auto const name = model::store_of(row.id);
    if (row.is_used && (first_stays || !name.empty())) by_store[name].push_back(row);
  }
  for (auto const& [name, of_store] : by_store) {
    auto const where = name.empty() ? directory + "/blobs" : fmt::format("store {}", name);
    TRY(check_store(name, where, of_store, stores));
  }
  service::CopiedBlobs first;
  for (auto const& row : by_store[{}]) {
    ++first.blobs;
    first.bytes += row.size_bytes;
  }
  return first;
}

// The place to go need not be there yet: it is another one then.
bool is_same(std::string const& home, std::string const& directory) {
  std::error_code failed;
  return std::filesystem::equivalent(home, directory, failed);
}

Result<> move_blobs(store::Database& database, std::string const& directory,
                    std::string const& home, ops::Config const& config, Tell const& tell) {
  TRY(check_mounted(directory, {}, database));
  TRY(check_marks(home, config, database));
  bool const stays = config.storage.driver == ops::StorageDriver::file && is_same(home, directory);
  if (stays || !config.stores.empty()) {
    auto const stores = TRY(open_blobs(home, config, nullptr, nullptr));
    auto const first = TRY(check_what_stays(database, *stores, directory, stays));
    if (stays) {
      tell(fmt::format("image data: {} stay in {}, each there with its size", amount_of(first),
                       directory));
      return {};
    }
  }
  auto const from = TRY(store::FilesystemBlobs::open(directory + "/blobs"));
  auto const into = TRY(open_first_store(home, config));
  auto told_at = std::chrono::steady_clock::now();
  auto const moved = TRY(service::copy_blobs(
      database, *from, *into,
      [&](service::CopiedBlobs const& done, service::CopiedBlobs const& total) {
        auto const now = std::chrono::steady_clock::now();
        if (now - told_at < kTellEvery) return;
        told_at = now;
        tell(fmt::format("image data: {} of {}", amount_of(done), amount_of(total)));
      }));
  tell(fmt::format("image data: {} copied, read back and compared", amount_of(moved)));
  return {};
}

// Files of the users that the new configuration does not look for here.
bool buckets_stay(std::string const& directory, std::string const& home,
                  ops::Config const& config) {
  bool const looked_for =
      buckets_driver(config) == ops::BucketsDriver::directory && is_same(home, directory);
  std::error_code failed;
  return !looked_for && std::filesystem::is_directory(directory + "/buckets", failed) &&
         !std::filesystem::is_empty(directory + "/buckets", failed);
}

} // namespace

Result<> move_service(MoveOptions const& options, ops::Config const& config, Tell const& tell) {
  auto const& directory = options.directory;
  if (config.database.url.empty()) {
    return error(Fault::invalid_value, "database.url is empty: it names the PostgreSQL to move to");
  }
  if (!TRY(holds_service(directory))) {
    return error(Fault::unavailable, directory + " holds no service");
  }
  auto const ids = TRY(read_project_ids(options.projects_file));
  auto const lock = TRY(DirectoryLock::take(directory));
  auto const from = TRY(store::sqlite::SqliteDatabase::open(directory + "/vitrine.db"));
  auto const into = TRY(open_database(directory, config.database));
  TRY(store::check_empty(*into));
  auto const home = config.storage.directory.empty() ? directory : config.storage.directory;
  bool const files_stay = buckets_stay(directory, home, config);
  TRY(check_projects(*from, config, ids));
  TRY(check_jobs(*from, config, files_stay));
  TRY(check_image_keys(*from, home, config));
  TRY(check_store_names(*from, config));
  // Rows come last: they say that all is there.
  TRY(move_blobs(*from, directory, home, config, tell));
  auto const tables = TRY(store::copy_rows(*from, *into, [&](store::Connection& connection) {
    return store::rename_projects(connection, ids);
  }));
  for (auto const& table : tables)
    tell(fmt::format("{}: {} rows copied, read back and compared", table.name, table.rows));
  for (auto const& [before, after] : ids)
    tell(fmt::format("project {} is {} now", before, after));
  if (files_stay) {
    tell(fmt::format("buckets: the files in {}/buckets stay there, and the new configuration does "
                     "not look for them",
                     directory));
  }
  tell("moved; serve with the new configuration from now on");
  return {};
}

} // namespace vitrine::app
