#include "store/metadata/postgres/postgres_connection.hpp"

#include "store/metadata/postgres/conninfo.hpp"
#include "store/metadata/postgres/values.hpp"
#include "store/metadata/postgres/wide_insert.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <utility>

namespace vitrine::store::postgres {
namespace {

// Rows of a batch that go out before their results are read: few enough for the results to wait in
// the buffers of the sockets.
constexpr std::size_t kBatchRows = 1024;
// Rows that one INSERT takes at once.
constexpr std::size_t kWideRows = 64;
constexpr int kServerVersionMin = 140'000;

// A transaction that waits for nothing but its client must not hold its locks for ever.
constexpr char const* kSessionLimits =
    "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'";
// The same where a setting of a session would stay with whoever comes next: behind a pooler.
constexpr std::array kTransactionLimits{"SET LOCAL lock_timeout = '10s'",
                                        "SET LOCAL idle_in_transaction_session_timeout = '30s'"};

} // namespace

std::string_view text_for_us(sql::Statement const& statement) {
  return statement.postgres.empty() ? statement.text : statement.postgres;
}

Result<std::unique_ptr<PostgresConnection>>
PostgresConnection::open(ConnectionOptions const& options) {
  auto const conninfo = TRY(Conninfo::parse(options));
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(conninfo.connect(), conninfo.session_name(), options));
  auto* handle = connection->pipeline_.handle();
  if (PQstatus(handle) != CONNECTION_OK) {
    return error(Fault::unavailable, fmt::format("cannot connect to the database: {}",
                                                 first_line(PQerrorMessage(handle))));
  }
  if (PQserverVersion(handle) < kServerVersionMin) {
    return error(Fault::unavailable, "the database is older than PostgreSQL 14");
  }
  auto const* encoding = PQparameterStatus(handle, "server_encoding");
  if (encoding != nullptr && std::string_view(encoding) != "UTF8") {
    return error(Fault::unavailable, "the encoding of the database is not UTF8");
  }
  if (options.prepared_statements) TRY(connection->execute(kSessionLimits));
  return connection;
}

PostgresConnection::PostgresConnection(pg_conn* handle, std::string name,
                                       ConnectionOptions const& options)
    : name_(std::move(name)), pipeline_(handle, options.prepared_statements, options.answer_max) {}

void PostgresConnection::begin(std::span<char const* const> opening) {
  opening_ = opening;
  open_ = false;
  single_ = false;
  runs_ = 0;
  pipeline_.set_trouble(Trouble::none);
}

void PostgresConnection::begin_single() {
  begin({});
  single_ = true;
}

void PostgresConnection::start() {
  pipeline_.start();
  if (open_) return;
  for (auto const* text : opening_) {
    pipeline_.send_ahead(text);
    if (std::exchange(open_, true) || pipeline_.prepares()) continue;
    for (auto const* limit : kTransactionLimits)
      pipeline_.send_ahead(limit);
  }
}

Result<std::int64_t> PostgresConnection::run(sql::Statement const& statement,
                                             std::span<Param const> params, Each const& each) {
  ++runs_;
  if (wants_more()) return error(Fault::internal, "a second statement has no transaction");
  std::int64_t changed = 0;
  start();
  TRY(pipeline_.send(text_for_us(statement), params));
  TRY(pipeline_.finish(statement.name, [&](OwnedResult const& result) {
    changed = changed_rows(result.get());
    if (!each) return;
    for (int i = 0; i < PQntuples(result.get()); ++i)
      each(PostgresRow(result.get(), i));
  }));
  return changed;
}

Result<OwnedResult> PostgresConnection::fetch(std::string_view name, std::string_view text,
                                              std::span<Param const> params) {
  OwnedResult found;
  TRY(fetch_each(name, text, std::span(&params, 1),
                 [&](OwnedResult& result) { found = std::move(result); }));
  return found;
}

Result<> PostgresConnection::fetch_each(std::string_view name, std::string_view text,
                                        std::span<std::span<Param const> const> rows,
                                        Pipeline::OnResult const& on_result) {
  begin({});
  start();
  for (auto const& params : rows)
    TRY(pipeline_.send(text, params));
  return pipeline_.finish(name, on_result);
}

Result<std::int64_t> PostgresConnection::run_each(sql::Statement const& statement,
                                                  std::span<Params const> rows) {
  std::int64_t changed = 0;
  while (!rows.empty()) {
    auto const batch = rows.first(std::min(rows.size(), kBatchRows));
    start();
    TRY(send_each(statement, batch));
    TRY(pipeline_.finish(
        statement.name, [&](OwnedResult const& result) { changed += changed_rows(result.get()); }));
    rows = rows.subspan(batch.size());
  }
  return changed;
}

Result<> PostgresConnection::send_each(sql::Statement const& statement,
                                       std::span<Params const> rows) {
  auto const text = text_for_us(statement);
  if (rows.size() >= kWideRows) {
    auto const& wide = wide_text(text, rows.front().size());
    if (pipeline_.prepares() && !wide.empty()) {
      // Now, since what is prepared stands ahead of what is run.
      pipeline_.prepare(wide);
      if (rows.size() % kWideRows != 0) pipeline_.prepare(text);
    }
    Params params;
    for (; !wide.empty() && rows.size() >= kWideRows; rows = rows.subspan(kWideRows)) {
      params.clear();
      for (auto const& row : rows.first(kWideRows))
        params.insert(params.end(), row.begin(), row.end());
      TRY(pipeline_.send(wide, params));
    }
  }
  for (auto const& row : rows)
    TRY(pipeline_.send(text, row));
  return {};
}

/// Empty when the statement cannot take many rows at once.
std::string const& PostgresConnection::wide_text(std::string_view text, std::size_t params) {
  auto const known = wide_texts_.find(text);
  if (known != wide_texts_.end()) return known->second;
  return wide_texts_.emplace(std::string(text), widen(text, params, kWideRows)).first->second;
}

Result<> PostgresConnection::commit() {
  if (!open_) return {};
  bool committed = false;
  start();
  pipeline_.send_plain("COMMIT");
  // The end of a void transaction is answered without an error, but not with this word.
  TRY(pipeline_.finish("commit", [&](OwnedResult const& result) {
    committed = std::string_view(PQcmdStatus(result.get())) == "COMMIT";
  }));
  open_ = false;
  if (committed) return {};
  pipeline_.set_trouble(Trouble::refused);
  return error(Fault::internal);
}

void PostgresConnection::roll_back() {
  bool const was_open = std::exchange(open_, false);
  bool const hears = trouble() != Trouble::lost && trouble() != Trouble::cut;
  if (was_open && hears) pipeline_.send_and_go_on("ROLLBACK");
}

std::optional<Session> PostgresConnection::silent_session() const {
  if (!pipeline_.silent() || !pipeline_.prepares()) return std::nullopt;
  return Session{PQbackendPID(pipeline_.handle()), name_};
}

Result<> PostgresConnection::execute(std::string const& script) {
  start();
  TRY(pipeline_.finish("execute", {}));
  return pipeline_.run_script(script);
}

} // namespace vitrine::store::postgres
