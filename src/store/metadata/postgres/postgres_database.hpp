// PostgreSQL as a Database.
//
// Units that write run SERIALIZABLE, so they take effect as if one after the other, which is what
// they were written for; those that another one overtook run again
// (docs/decisions/0009-postgresql.md). Units that read see one snapshot.
#pragma once

#include "store/metadata/database.hpp"
#include "store/metadata/postgres/later_reads.hpp"
#include "store/metadata/postgres/postgres_pool.hpp"
#include "store/metadata/postgres/silent_sessions.hpp"

#include <cstdint>
#include <memory>

namespace vitrine::store::postgres {

struct DatabaseOptions {
  ConnectionOptions connection;
  std::int64_t pool_size{16};
};

class PostgresDatabase final : public Database {
public:
  /// Connects and brings the schema up to date; of processes that start together one does it.
  /// Errors: `unavailable` with the reason, also when a newer release has changed the schema so
  /// that this one cannot work with it.
  static Result<std::unique_ptr<PostgresDatabase>> open(DatabaseOptions const& options);

protected:
  Result<> do_read(Work const& work) override;
  Result<> do_read_single(Work const& work) override;
  bool do_read_later(LaterRead what, Work work, Done done) override;
  Result<> do_write(Work const& work) override;

private:
  explicit PostgresDatabase(DatabaseOptions const& options);
  /// Lends a connection and runs `attempt` on it, again after the connection was lost or another
  /// transaction came first, as long as it makes sense.
  Result<> persist(std::function<Result<>(PostgresConnection&, int number)> const& attempt);

  DatabaseOptions const options_;
  SilentSessions silent_;
  PostgresPool pool_;
  LaterReads later_rows_{pool_, LaterRead::row};
  LaterReads later_pages_{pool_, LaterRead::page};
};

} // namespace vitrine::store::postgres
