// The audit outbox: events are written in the transaction of the change they report, and leave for
// the audit file afterwards. One row may stand for many events (the pairs of a bulk share).
#pragma once

#include "model/audit.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

struct OutboxRow {
  std::int64_t sequence{0};
  std::string id;    ///< no other row has it, in any database
  std::string event; ///< JSON object: what all pairs share
  /// JSON array of {"project_id"?, "fault"?, "detail"?, "outcome"?}, an event each; `[]`: one that
  /// succeeded. "outcome" is that of an event which neither succeeded nor failed: `pending`.
  std::string targets;
};

class Audit {
public:
  explicit Audit(Connection& connection) : connection_(connection) {}

  Result<> record(model::AuditEvent const& event);
  /// One event, with the outcome `pending`.
  Result<> record(model::AuditSubmission const& submission);
  Result<> record(model::IdentityChange const& change);
  /// The first rows that `holder` claimed, at most `limit`, in order. No row ever appears before
  /// one that was read.
  Result<std::vector<OutboxRow>> claimed(std::string_view holder, std::int64_t limit);
  /// Whether rows wait for being claimed: new ones, and those of others whose claim ran out.
  Result<bool> any_unclaimed(std::string_view holder, Time now);
  /// Claims some of them until `until`; of several servers one then writes them. Where one process
  /// alone works on the database everything is its own without a claim.
  Result<> claim(std::string_view holder, Time now, Time until);
  /// Forgets these rows: they are in the file.
  Result<> forget(std::span<OutboxRow const> rows);

private:
  Connection& connection_;
};

} // namespace vitrine::store
