// One SQLite connection with its prepared statements.
#pragma once

#include "store/metadata/connection.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace vitrine::store::sqlite {

enum class Access : std::uint8_t { read_only, read_write };

class SqliteConnection final : public Connection {
public:
  /// Opens `path` in WAL mode with full synchronisation. Errors: `unavailable` with the engine's
  /// words.
  static Result<std::unique_ptr<SqliteConnection>> open(std::string const& path, Access access);
  ~SqliteConnection() override;

  using Connection::run;
  Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                           Each const& each) override;
  /// Several statements without parameters or rows: migrations, transaction control.
  Result<> execute(std::string const& script);

private:
  struct Prepared {
    sqlite3_stmt* handle{nullptr};
    std::vector<int> order; ///< order[i]: which `$n` (from 0) the engine's parameter i stands for
  };

  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  Result<Prepared const*> prepare(sql::Statement const& statement);
  Error failure(std::string_view what) const;

  sqlite3* handle_;
  // Keyed by text: dynamic list statements share a name. SQLite keeps the text alive with the
  // statement.
  std::unordered_map<std::string, Prepared> prepared_;
};

} // namespace vitrine::store::sqlite
