// One SQLite connection with its prepared statements.
#pragma once

#include "store/metadata/connection.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace vitrine::store::sqlite {

enum class Access : std::uint8_t { read_only, read_write };

class SqliteConnection final : public Connection {
public:
  /// Opens `path` in WAL mode. A commit is durable once the log is flushed, which SqliteDatabase
  /// does. Errors: `unavailable` with the engine's words.
  static Result<std::unique_ptr<SqliteConnection>> open(std::string const& path, Access access);
  ~SqliteConnection() override;

  using Connection::run;
  Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                           Each const& each) override;
  [[nodiscard]] Dialect const& dialect() const noexcept override { return kSqliteDialect; }
  /// Several statements without parameters or rows: migrations, transaction control.
  Result<> execute(std::string const& script);
  /// Some failures end the transaction by themselves, as that of a full disk does.
  [[nodiscard]] bool in_transaction() const noexcept;

private:
  // Finds by a view: a lookup must not copy the text.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Prepared {
    sqlite3_stmt* handle{nullptr};
    std::vector<int> order; ///< order[i]: which `$n` (from 0) the engine's parameter i stands for
  };

  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  Result<Prepared const*> prepare(sql::Statement const& statement);
  Error failure(std::string_view what);
  bool begins_to_be_full();

  sqlite3* handle_;
  std::optional<std::chrono::steady_clock::time_point>
      full_at_; ///< when the disk was found full last
  // Keyed by text: dynamic list statements share a name. SQLite keeps the text alive with the
  // statement.
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> prepared_;
};

} // namespace vitrine::store::sqlite
