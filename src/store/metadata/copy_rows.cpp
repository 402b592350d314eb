#include "store/metadata/copy_rows.hpp"

#include "base/hash.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <span>
#include <variant>

namespace vitrine::store {
namespace {

// Rows that travel at once: images may hold properties of 1 MiB each.
constexpr std::size_t kBatchRows = 500;
constexpr std::size_t kBatchBytes = 4U << 20U;
constexpr int kFetchedRows = 100;

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::vector<bool> is_text; ///< for each column; integers otherwise
  std::vector<std::string> keys;
  std::string numbered; ///< a column that the engine counts up, or nothing
};

// The row that a server writes to see whether it can is worth nothing; migrations each engine has
// its own; the rest of SQLite's own tables is told by its name.
constexpr sql::Statement kListTables{
    "list_tables", "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT IN "
                   "('migrations', 'write_probe') AND name NOT LIKE 'sqlite_%' ORDER BY name"};
constexpr sql::Statement kListColumns{
    "list_columns", "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid"};
constexpr sql::Statement kGetNumber{"get_number",
                                    "SELECT seq FROM sqlite_sequence WHERE name = $1 AND seq > 0"};
constexpr sql::Statement kSetNumber{"set_number",
                                    "SELECT setval(pg_get_serial_sequence($1, $2), $3)"};
constexpr sql::Statement kListTarget{
    "list_target_tables",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND "
    "table_type = 'BASE TABLE' AND table_name NOT IN ('migrations', 'write_probe') ORDER BY 1"};

Result<std::vector<Table>> read_tables(Connection& sqlite) {
  std::vector<Table> tables;
  std::vector<bool> counted;
  TRY(sqlite.run(kListTables, {}, [&](Row const& row) {
    tables.emplace_back().name = row.string(0);
    counted.push_back(row.text(1).find("AUTOINCREMENT") != std::string_view::npos);
  }));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto& table = tables[i];
    TRY(sqlite.run(kListColumns, {table.name}, [&](Row const& row) {
      table.columns.push_back(row.string(0));
      table.is_text.push_back(row.text(1) == "TEXT");
      if (row.integer(2) > 0) table.keys.push_back(row.string(0));
    }));
    if (counted[i]) table.numbered = table.keys.at(0);
  }
  return tables;
}

using Value = std::variant<std::nullptr_t, std::int64_t, std::string>;

// Rows that outlive the callback that saw them.
class Batch {
public:
  explicit Batch(Table const& table) : table_(table) {}

  void add(Row const& row) {
    auto& values = rows_.emplace_back();
    for (int i = 0; i < static_cast<int>(table_.columns.size()); ++i) {
      if (row.is_null(i)) {
        values.emplace_back(nullptr);
      } else if (table_.is_text[static_cast<std::size_t>(i)]) {
        bytes_ += row.text(i).size();
        values.emplace_back(row.string(i));
      } else {
        values.emplace_back(row.integer(i));
      }
    }
  }
  [[nodiscard]] bool is_full() const { return rows_.size() >= kBatchRows || bytes_ >= kBatchBytes; }
  Result<> insert(Connection& into, sql::Statement const& statement) {
    if (rows_.empty()) return {};
    TRY(into.run_each(statement, rows_for(rows_, [](std::vector<Value> const& values) {
                        Params params;
                        for (auto const& value : values)
                          params.push_back(
                              std::visit([](auto const& one) { return Param(one); }, value));
                        return params;
                      })));
    rows_.clear();
    bytes_ = 0;
    return {};
  }

private:
  Table const& table_;
  std::vector<std::vector<Value>> rows_;
  std::size_t bytes_{0};
};

std::string select_text(Table const& table) {
  return fmt::format("SELECT {} FROM {} ORDER BY {}", fmt::join(table.columns, ", "), table.name,
                     fmt::join(table.keys, ", "));
}

std::string insert_text(Table const& table) {
  std::vector<std::string> places;
  for (std::size_t i = 1; i <= table.columns.size(); ++i)
    places.push_back(fmt::format("${}", i));
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, fmt::join(table.columns, ", "),
                     fmt::join(places, ", "));
}

Result<> read_rows(Connection& sqlite, Table const& table, Connection::Each const& each) {
  auto const text = select_text(table);
  TRY(sqlite.run({"read_rows", text}, {}, each));
  return {};
}

// A result arrives as a whole, so a table is fetched piece by piece. A cursor has a name of its
// own: the statement that fetches from it is kept prepared, with the columns it saw first.
Result<> fetch_rows(Connection& postgres, Table const& table, Connection::Each const& each) {
  auto const declare =
      fmt::format("DECLARE rows_of_{} NO SCROLL CURSOR FOR {}", table.name, select_text(table));
  auto const fetch = fmt::format("FETCH {} FROM rows_of_{}", kFetchedRows, table.name);
  TRY(postgres.run({"declare_rows", declare}, {}));
  for (bool more = true; more;) {
    more = false;
    TRY(postgres.run({"fetch_rows", fetch}, {}, [&](Row const& row) {
      more = true;
      each(row);
    }));
  }
  return {};
}

// What a table holds, in few bytes: its number of rows, and a SHA-256 over all values in the order
// of its key, which both engines sort alike.
class Content {
public:
  explicit Content(Table const& table) : table_(table) {}

  void add(Row const& row) {
    ++rows_;
    for (int i = 0; i < static_cast<int>(table_.columns.size()); ++i) {
      if (row.is_null(i)) {
        add("null,");
      } else if (table_.is_text[static_cast<std::size_t>(i)]) {
        auto const text = row.text(i);
        add(std::to_string(text.size()) + ":");
        add(text);
      } else {
        add(std::to_string(row.integer(i)) + ",");
      }
    }
  }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  std::string take_hash() { return hash_.take_hex(); }

private:
  void add(std::string_view text) { hash_.add(std::as_bytes(std::span(text))); }

  Table const& table_;
  std::int64_t rows_{0};
  Hash hash_{HashAlgorithm::sha256};
};

// `content` learns what was read: to read it once more would leave the target's transaction idle,
// for longer than it may be.
Result<> copy_table(Table const& table, Connection& from, Connection& into, Content& content) {
  auto const insertion = insert_text(table);
  sql::Statement const insert{"copy_rows", insertion};
  Batch batch(table);
  Result<> inserted;
  TRY(read_rows(from, table, [&](Row const& row) {
    if (!inserted) return;
    content.add(row);
    batch.add(row);
    if (batch.is_full()) inserted = batch.insert(into, insert);
  }));
  TRY(std::move(inserted));
  TRY(batch.insert(into, insert));
  if (table.numbered.empty()) return {};
  std::optional<std::int64_t> last;
  TRY(from.run(kGetNumber, {table.name}, [&](Row const& row) { last = row.integer(0); }));
  if (!last) return {};
  TRY(into.run(kSetNumber, {table.name, table.numbered, *last}));
  return {};
}

Result<> check_no_rows(Connection& postgres) {
  std::vector<std::string> tables;
  TRY(postgres.run(kListTarget, {}, [&](Row const& row) { tables.push_back(row.string(0)); }));
  for (auto const& table : tables) {
    bool filled = false;
    auto const text = fmt::format("SELECT 1 FROM {} LIMIT 1", table);
    TRY(postgres.run({"find_row", text}, {}, [&](Row const&) { filled = true; }));
    if (filled) return error(Fault::conflict, "the database holds rows already, in " + table);
  }
  return {};
}

Result<> compare(Table const& table, Content& there, Connection& into) {
  Content here(table);
  TRY(fetch_rows(into, table, [&](Row const& row) { here.add(row); }));
  if (here.rows() == there.rows() && here.take_hash() == there.take_hash()) return {};
  return error(Fault::conflict, fmt::format("{}: {} rows were copied, {} others were read back",
                                            table.name, there.rows(), here.rows()));
}

} // namespace

Result<> check_empty(Database& database) { return database.read(check_no_rows); }

Result<std::vector<CopiedTable>> copy_rows(Database& sqlite, Database& postgres,
                                           Database::Work const& before_commit) {
  return sqlite.read([&](Connection& from) -> Result<std::vector<CopiedTable>> {
    auto const tables = TRY(read_tables(from));
    return postgres.write([&](Connection& into) -> Result<std::vector<CopiedTable>> {
      TRY(check_no_rows(into));
      std::vector<CopiedTable> copied;
      for (auto const& table : tables) {
        Content content(table);
        TRY(copy_table(table, from, into, content));
        TRY(compare(table, content, into));
        copied.push_back({table.name, content.rows()});
      }
      TRY(before_commit(into));
      return copied;
    });
  });
}

} // namespace vitrine::store
