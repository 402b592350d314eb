#include "jobs/engine/context.hpp"

namespace vitrine::jobs {

Result<std::set<std::int64_t>> JobContext::finished_positions() {
  return database_.read_single(
      [&](store::Connection& connection) -> Result<std::set<std::int64_t>> {
        std::set<std::int64_t> positions;
        for (auto const& item : TRY(store::Jobs(connection).items(job_.id)))
          positions.insert(item.position);
        return positions;
      });
}

Result<> JobContext::commit(std::int64_t units, store::Database::Work const& work) {
  if (stopping()) return error(Fault::unavailable, "the server is stopping");
  auto const done = done_ + units;
  auto const stored = database_.write([&](store::Connection& connection) -> Result<> {
    auto const until = clock_.now() + lease_.length_us;
    if (!TRY(store::Jobs(connection).renew(job_.id, lease_.worker, done, units, until))) {
      return error(Fault::lease_lost);
    }
    return work(connection);
  });
  show_life();
  if (!stored) return stored;
  done_ = done;
  return {};
}

Result<> JobContext::advance(std::int64_t done, std::int64_t total,
                             store::Database::Work const& also) {
  if (stopping()) return error(Fault::unavailable, "the server is stopping");
  auto const now = clock_.now();
  if (now < advanced_at_ + kMicrosecondsPerSecond) return {};
  advanced_at_ = now;
  return database_.write([&](store::Connection& connection) -> Result<> {
    auto const until = now + lease_.length_us;
    if (!TRY(store::Jobs(connection).advance(job_.id, lease_.worker, done, total, until))) {
      return error(Fault::lease_lost);
    }
    return also ? also(connection) : Result<>();
  });
}

} // namespace vitrine::jobs
