// The audit outbox: events are written in the transaction of the change they report, and leave for
// the audit file afterwards. One row may stand for many events (the pairs of a bulk share).
#pragma once

#include "model/audit.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::store {

struct OutboxRow {
  std::int64_t sequence{0};
  std::string event; ///< JSON object: what all pairs share
  std::string
      targets; ///< JSON array of {"project_id", "fault"?, "detail"?}; `[]`: one event without
};

class Audit {
public:
  explicit Audit(Connection& connection) : connection_(connection) {}

  Result<> record(model::AuditEvent const& event);
  /// At most `limit` numbered rows after `sequence`, in order.
  Result<std::vector<OutboxRow>> after(std::int64_t sequence, std::int64_t limit);
  /// Whether rows wait for their number. Numbers grow in the order in which rows appear, so that no
  /// row ever appears before one that was read.
  Result<bool> any_unnumbered();
  Result<> number();
  /// Forgets rows up to and with `sequence`: they are in the file.
  Result<> forget(std::int64_t sequence);

private:
  Connection& connection_;
};

} // namespace vitrine::store
