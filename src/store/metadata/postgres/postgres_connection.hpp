// One PostgreSQL connection and its unit of work.
//
// Statements travel in a pipeline: the text that opens a transaction goes out with the first
// statement, a batch goes out as a whole, and the end of a read is not waited for.
#pragma once

#include "store/metadata/connection.hpp"
#include "store/metadata/postgres/pipeline.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::store::postgres {

struct ConnectionOptions {
  std::string url; ///< postgresql://…; may hold a password, so it is never shown
  std::chrono::seconds connect_timeout{5};
  std::chrono::milliseconds answer_max{30'000}; ///< then the server is taken for lost
  /// Off where connections change hands between transactions (pgbouncer in transaction mode).
  bool prepared_statements{true};
};

/// What the server calls a session.
struct Session {
  int process;
  std::string name;
};

/// What of a statement this engine runs.
[[nodiscard]] std::string_view text_for_us(sql::Statement const& statement);

class PostgresConnection final : public Connection {
public:
  /// Errors: `unavailable`; the detail never holds a password.
  static Result<std::unique_ptr<PostgresConnection>> open(ConnectionOptions const& options);

  using Connection::run;
  Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                           Each const& each) override;
  Result<std::int64_t> run_each(sql::Statement const& statement,
                                std::span<Params const> rows) override;
  [[nodiscard]] Dialect const& dialect() const noexcept override { return kPostgresDialect; }

  /// A unit of work of its own, outside of a transaction: all that one statement finds. See
  /// `trouble`. `name` is for the log.
  Result<OwnedResult> fetch(std::string_view name, std::string_view text,
                            std::span<Param const> params);
  /// As `fetch`, for many rows of parameters at once. `on_result` gets what was found for each, in
  /// order, while the server works on the next.
  Result<> fetch_each(std::string_view name, std::string_view text,
                      std::span<std::span<Param const> const> rows,
                      Pipeline::OnResult const& on_result);

  /// Begins a unit of work. `opening` goes out with its first statement: what opens a transaction,
  /// or nothing. Alive until the unit ends.
  void begin(std::span<char const* const> opening);
  /// Begins a unit of one statement, which needs no transaction. A second one is refused.
  void begin_single();
  /// Whether a second statement was refused.
  [[nodiscard]] bool wants_more() const noexcept { return single_ && runs_ > 1; }
  /// What went wrong since `begin`.
  [[nodiscard]] Trouble trouble() const noexcept { return pipeline_.trouble(); }
  /// Commits what was opened. When it fails nothing was stored, unless `trouble` is `lost`: then
  /// nobody knows.
  Result<> commit();
  /// Ends a unit of work that stored nothing. Does not wait.
  void roll_back();

  /// The session that the server was too silent about to wait for. Nothing when it answered, or is
  /// a pooler.
  [[nodiscard]] std::optional<Session> silent_session() const;

  /// A script of statements without parameters or rows. Does not begin what `begin` would.
  Result<> execute(std::string const& script);

private:
  PostgresConnection(pg_conn* handle, std::string name, ConnectionOptions const& options);
  /// Begins an exchange, with what opens the transaction unless that is open.
  void start();
  Result<> send_each(sql::Statement const& statement, std::span<Params const> rows);
  std::string const& wide_text(std::string_view text, std::size_t params);

  std::string const name_; ///< of the session, which no other one has
  Pipeline pipeline_;
  std::span<char const* const> opening_;
  bool open_{false};   ///< a transaction may be open on the server
  bool single_{false}; ///< as `begin_single` says
  int runs_{0};        ///< of `run` since the unit began
  TextMap wide_texts_; ///< of statements that take many rows at once, by the text for one
};

} // namespace vitrine::store::postgres
