#include "store/metadata/database_clock.hpp"

#include <chrono>

namespace vitrine::store {
namespace {

std::int64_t steady_us() {
  auto const since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

} // namespace

Result<> DatabaseClock::follow(Database& database) {
  return database.read_single([this](Connection& connection) -> Result<> {
    auto const asked_at = steady_us();
    std::int64_t told = 0;
    TRY(connection.run(sql::database_time, {}, [&](Row const& row) { told = row.integer(0); }));
    auto const answered_at = steady_us();
    auto const ahead_us = ahead_us_.load();
    bool const fits =
        ahead_us != kNothingTold && asked_at + ahead_us <= told && told <= answered_at + ahead_us;
    if (!fits) ahead_us_ = told - (asked_at + answered_at) / 2;
    return {};
  });
}

Time DatabaseClock::now() const {
  auto const ahead_us = ahead_us_.load();
  if (ahead_us == kNothingTold) return SystemClock().now();
  return Time{steady_us() + ahead_us};
}

} // namespace vitrine::store
