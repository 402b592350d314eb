// The time of the database, by which servers that share one agree.
#pragma once

#include "base/clock.hpp"
#include "store/metadata/database.hpp"

#include <atomic>
#include <cstdint>

namespace vitrine::store {

/// Goes on evenly from what the database told, whatever the machine's own clock says: one that is
/// wrong, or is set while the server runs, must not make a server take the work of others for
/// abandoned. The system's time until `follow` is called. Thread-safe.
class DatabaseClock final : public Clock {
public:
  /// Asks the database, to be called again and again: clocks drift. What it tells does not move the
  /// clock when the time of the answer may account for the difference, so that the clock does not
  /// tremble. Error: `unavailable`; then it goes on as before.
  Result<> follow(Database& database);

  [[nodiscard]] Time now() const override;

private:
  static constexpr std::int64_t kNothingTold = INT64_MIN;

  /// The database's time less that of the steady clock.
  std::atomic<std::int64_t> ahead_us_{kNothingTold};
};

} // namespace vitrine::store
