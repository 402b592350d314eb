// One PostgreSQL connection with its prepared statements.
//
// Statements travel in libpq's pipeline mode: the text that opens a transaction goes out with the
// first statement, a batch goes out as a whole, and the end of a read is not waited for.
#pragma once

#include "store/metadata/connection.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

struct pg_conn;
struct pg_result;

namespace vitrine::store::postgres {

struct ConnectionOptions {
  std::string url; ///< postgresql://…; may hold a password, so it is never shown
  std::chrono::seconds connect_timeout{5};
  /// Off where connections change hands between transactions (pgbouncer in transaction mode).
  bool prepared_statements{true};
};

/// What the engine made of a unit of work.
enum class Trouble : std::uint8_t {
  none,
  refused,   ///< a statement failed; the transaction is void
  overtaken, ///< another transaction came first (40001, 40P01, 55P03): the unit may run again
  lost,      ///< the connection, or a server that is no primary any more
};

class PostgresConnection final : public Connection {
public:
  /// Errors: `unavailable`; the detail never holds a password.
  static Result<std::unique_ptr<PostgresConnection>> open(ConnectionOptions const& options);
  ~PostgresConnection() override;
  PostgresConnection(PostgresConnection const&) = delete;
  PostgresConnection& operator=(PostgresConnection const&) = delete;

  using Connection::run;
  Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                           Each const& each) override;
  Result<std::int64_t> run_each(sql::Statement const& statement,
                                std::span<Params const> rows) override;
  [[nodiscard]] Dialect const& dialect() const noexcept override { return kPostgresDialect; }

  /// Begins a unit of work. `opening` goes out with its first statement: what opens a transaction,
  /// or nothing. Alive until the unit ends.
  void begin(std::span<char const* const> opening);
  /// What went wrong since `begin`.
  [[nodiscard]] Trouble trouble() const noexcept { return trouble_; }
  /// Commits what was opened. When it fails nothing was stored, unless `trouble` is `lost`: then
  /// nobody knows.
  Result<> commit();
  /// Ends a unit of work that stored nothing. Does not wait.
  void roll_back();

  /// A script of statements without parameters or rows. Does not begin what `begin` would.
  Result<> execute(std::string const& script);

private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using OnResult = std::function<void(pg_result*)>;

  PostgresConnection(pg_conn* handle, bool prepares);
  // An exchange: `start`, `send` once or more, `finish`. What cannot be sent shows at the end.
  void start();
  Result<> send(sql::Statement const& statement, std::span<Param const> params);
  Result<> send_each(sql::Statement const& statement, std::span<Params const> rows);
  std::string const& wide_text(sql::Statement const& statement, std::size_t params);
  Result<> finish(std::string_view name, OnResult const& on_result);
  void send_plain(char const* text);
  char const* prepare(std::string_view text);
  pg_result* next_result();
  bool wait_for_server();
  Error fail(std::string_view name, pg_result const* failed);
  Error lose(std::string_view name, std::string_view reason);

  pg_conn* handle_;
  bool const prepares_;
  std::span<char const* const> opening_;
  bool open_{false}; ///< a transaction may be open on the server
  Trouble trouble_{Trouble::none};

  int unread_{0};  ///< exchanges whose results nobody has read yet
  int prelude_{0}; ///< statements of this exchange ahead of the caller's
  bool sending_failed_{false};
  std::chrono::steady_clock::time_point deadline_;

  // Names by text: dynamic list statements share a name of ours.
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> prepared_;
  std::uint64_t prepared_count_{0};
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> wide_texts_;
  std::vector<std::string> preparing_; ///< the texts that this exchange prepares
};

} // namespace vitrine::store::postgres
