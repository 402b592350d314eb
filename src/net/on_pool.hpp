// From a coroutine to a pool and back.
#pragma once

#include "net/pool.hpp"
#include "net/task.hpp"

#include <boost/asio/post.hpp>

namespace vitrine::net {

/// Runs `work` on `pool` and comes back to the loop; false when the pool's queue is full. `work`
/// must not throw.
template <class Work>
Task<bool> on_pool(Executor executor, Pool& pool, Work& work) {
  Gate gate;
  auto const back = [&gate] { gate.open(); };
  // By value: when the coroutine goes on, its frame may end before `post` has returned.
  auto job = [executor, &work, back] {
    work();
    asio::post(executor, back);
  };
  bool const queued = pool.submit(std::move(job));
  if (!queued) co_return false;
  co_await gate.wait();
  co_return true;
}

} // namespace vitrine::net
