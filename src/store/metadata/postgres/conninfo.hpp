// Where and how to connect: the operator's URL over our defaults.
#pragma once

#include "base/result.hpp"
#include "store/metadata/postgres/postgres_connection.hpp"

#include <map>
#include <string>

struct pg_conn;

namespace vitrine::store::postgres {

class Conninfo {
public:
  /// Error: `unavailable` when the URL cannot be read; the detail does not quote it, since it may
  /// hold a password.
  static Result<Conninfo> parse(ConnectionOptions const& options);
  /// Connects, or fails to: ask PQstatus. The caller ends it with PQfinish.
  [[nodiscard]] pg_conn* connect() const;
  /// What the server calls the sessions of this one: no other one has it.
  [[nodiscard]] std::string const& session_name() const { return settings_.at("application_name"); }

private:
  std::map<std::string, std::string> settings_;
};

} // namespace vitrine::store::postgres
