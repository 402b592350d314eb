#include "store/metadata/sqlite/sqlite_connection.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace vitrine::store::sqlite {
namespace {

// Statements kept prepared per connection; dynamic lists have many shapes, so the cache has an end.
constexpr std::size_t kPreparedMax = 256;

// A full disk fails every write, and the look at the health of the server writes each second until
// there is room: only the first failure tells something. More than what lies between two of them.
constexpr std::chrono::seconds kFullAgeMax{10};

class SqliteRow final : public Row {
public:
  explicit SqliteRow(sqlite3_stmt* handle) : handle_(handle) {}

  [[nodiscard]] bool is_null(int column) const override {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return sqlite3_column_int64(handle_, column);
  }
  [[nodiscard]] std::string_view text(int column) const override {
    auto const* bytes = reinterpret_cast<char const*>(sqlite3_column_text(handle_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
  }

private:
  sqlite3_stmt* handle_;
};

int bind(sqlite3_stmt* handle, int index, Param const& param) {
  switch (param.type()) {
  case Param::Type::null: return sqlite3_bind_null(handle, index);
  case Param::Type::integer: return sqlite3_bind_int64(handle, index, param.integer());
  case Param::Type::text: break;
  }
  // An empty view may have no address at all, which SQLite would take for NULL.
  char const* text = param.text().empty() ? "" : param.text().data();
  // The text outlives the call: run() resets the statement before it returns.
  return sqlite3_bind_text64(handle, index, text, param.text().size(), SQLITE_STATIC, SQLITE_UTF8);
}

// The database holds password hashes and the keys that sign tokens: nobody but its owner may read
// it. SQLite gives the files beside it the mode that it has, once it makes them.
void keep_private(std::string const& path) {
  int const made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
  // Of an earlier release. What cannot be changed belongs to somebody else, and opening it tells.
  for (char const* const suffix : {"", "-wal", "-shm"})
    ::chmod((path + suffix).c_str(), 0600);
}

} // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(std::string const& path,
                                                                 Access access) {
  int const flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE |
                    (access == Access::read_write ? SQLITE_OPEN_CREATE : 0);
  if (access == Access::read_write) keep_private(path);
  sqlite3* handle = nullptr;
  int const opened = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (opened != SQLITE_OK) {
    return error(Fault::unavailable, "cannot open " + path + ": " + sqlite3_errmsg(handle));
  }
  // NORMAL flushes the log before a checkpoint, and leaves flushing it after a commit to the
  // database.
  std::string pragmas = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL;"
                        "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
                        "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 1073741824;";
  // The file is mapped, so readers need almost no cache of their own; the writer keeps its dirty
  // pages. With 64 MiB of log between checkpoints, the pages that every commit changes are written
  // back once for many commits.
  pragmas += access == Access::read_only ? "PRAGMA cache_size = -512; PRAGMA query_only = ON;"
                                         : "PRAGMA cache_size = -8192;"
                                           "PRAGMA wal_autocheckpoint = 16000;";
  TRY(connection->execute(pragmas));
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (auto const& [text, prepared] : prepared_)
    sqlite3_finalize(prepared.handle);
  sqlite3_close(handle_);
}

bool SqliteConnection::in_transaction() const noexcept {
  return sqlite3_get_autocommit(handle_) == 0;
}

bool SqliteConnection::begins_to_be_full() {
  auto const now = std::chrono::steady_clock::now();
  auto const before = std::exchange(full_at_, now);
  return !before || now - *before > kFullAgeMax;
}

Error SqliteConnection::failure(std::string_view what) {
  int const code = sqlite3_extended_errcode(handle_);
  int const kind = code & 0xFF;
  if (kind == SQLITE_CONSTRAINT) return error(Fault::conflict);
  bool const is_damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
  bool const is_full =
      kind == SQLITE_FULL || (kind == SQLITE_IOERR && sqlite3_system_errno(handle_) == ENOSPC);
  if (!is_full || begins_to_be_full()) {
    char const* const file = sqlite3_db_filename(handle_, "main");
    ops::log_error(is_damaged ? "database.damaged" : "database.statement_failed",
                   {{"file", file == nullptr ? "" : file},
                    {"statement", what},
                    {"code", code},
                    {"detail", sqlite3_errmsg(handle_)}});
  }
  if (is_full) return error(Fault::unavailable, "The disk of the database is full.");
  return error(kind == SQLITE_BUSY ? Fault::unavailable : Fault::internal);
}

Result<SqliteConnection::Prepared const*>
SqliteConnection::prepare(sql::Statement const& statement) {
  if (auto const known = prepared_.find(statement.text); known != prepared_.end())
    return &known->second;
  if (prepared_.size() >= kPreparedMax) {
    for (auto const& [text, old] : prepared_)
      sqlite3_finalize(old.handle);
    prepared_.clear();
  }
  Prepared prepared;
  if (sqlite3_prepare_v3(handle_, statement.text.data(), static_cast<int>(statement.text.size()),
                         SQLITE_PREPARE_PERSISTENT, &prepared.handle, nullptr) != SQLITE_OK) {
    return failure(statement.name);
  }
  // SQLite numbers `$n` by first appearance, so each is looked up by its name.
  for (int i = 1; i <= sqlite3_bind_parameter_count(prepared.handle); ++i) {
    char const* name = sqlite3_bind_parameter_name(prepared.handle, i);
    CHECK(name != nullptr && name[0] == '$');
    auto const number = text::parse_int(name + 1);
    CHECK(number && *number >= 1);
    prepared.order.push_back(static_cast<int>(*number) - 1);
  }
  return &prepared_.emplace(statement.text, std::move(prepared)).first->second;
}

Result<std::int64_t> SqliteConnection::run(sql::Statement const& statement,
                                           std::span<Param const> params, Each const& each) {
  auto const& prepared = *TRY(prepare(statement));
  for (std::size_t i = 0; i < prepared.order.size(); ++i) {
    auto const which = static_cast<std::size_t>(prepared.order[i]);
    CHECK(which < params.size());
    if (bind(prepared.handle, static_cast<int>(i) + 1, params[which]) != SQLITE_OK) {
      return failure(statement.name);
    }
  }
  SqliteRow const row(prepared.handle);
  int step = 0;
  while ((step = sqlite3_step(prepared.handle)) == SQLITE_ROW) {
    if (each) each(row);
  }
  std::optional<Error> failed;
  if (step != SQLITE_DONE) failed = failure(statement.name);
  sqlite3_reset(prepared.handle);
  if (failed) return std::move(*failed);
  return std::int64_t{sqlite3_changes(handle_)};
}

Result<> SqliteConnection::execute(std::string const& script) {
  if (sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(script.substr(0, 60));
  }
  return {};
}

} // namespace vitrine::store::sqlite
