// For tests: the same store on every engine.
#pragma once

#include "base/ids.hpp"
#include "store/metadata/postgres/postgres_database.hpp"
#include "store/metadata/sqlite/sqlite_database.hpp"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace vitrine::store {

enum class TestEngine { sqlite, postgres };

/// A PostgreSQL cluster for tests; empty when there is none.
inline std::string test_cluster_url() {
  auto const* url = std::getenv("VITRINE_TEST_POSTGRES_URL");
  return url == nullptr ? "" : url;
}

inline TestEngine chosen_engine() {
  auto const* name = std::getenv("VITRINE_TEST_ENGINE");
  return name != nullptr && std::string_view(name) == "postgres" ? TestEngine::postgres
                                                                 : TestEngine::sqlite;
}

/// What one test keeps its rows in: a file in its directory, or a database of its own in the
/// cluster, which is dropped at the end. Databases that `open` gave must be gone by then.
class TestStore {
public:
  explicit TestStore(std::filesystem::path const& directory, TestEngine engine = chosen_engine())
      : file_(directory / "test.db") {
    if (engine == TestEngine::sqlite) return;
    auto const cluster = test_cluster_url();
    CHECK(!cluster.empty());
    name_ = "test_" + new_hex_id();
    url_ = cluster.substr(0, cluster.rfind('/') + 1) + name_;
    in_cluster("CREATE DATABASE " + name_);
  }
  ~TestStore() {
    if (!name_.empty()) in_cluster("DROP DATABASE " + name_ + " WITH (FORCE)");
  }
  TestStore(TestStore const&) = delete;
  TestStore& operator=(TestStore const&) = delete;

  [[nodiscard]] std::string const& url() const { return url_; }

  /// Opens the database (again), as a start of the service does.
  [[nodiscard]] Result<std::unique_ptr<Database>> open() const {
    if (name_.empty()) return TRY(sqlite::SqliteDatabase::open(file_.string()));
    return TRY(postgres::PostgresDatabase::open({.connection = {.url = url_}, .pool_size = 8}));
  }

  /// Runs a statement outside of the database of the test.
  static void in_cluster(std::string const& statement) {
    auto const connection = postgres::PostgresConnection::open({.url = test_cluster_url()});
    CHECK(connection && (*connection)->execute(statement));
  }

private:
  std::filesystem::path const file_;
  std::string name_; ///< of the database in the cluster
  std::string url_;
};

} // namespace vitrine::store
