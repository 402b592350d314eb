#include "jobs/engine/caller_json.hpp"
#include "jobs/engine/engine.hpp"
#include "jobs/house_test.hpp"
#include "store/metadata/jobs.hpp"

#include <array>
#include <atomic>
#include <fmt/format.h>
#include <latch>
#include <thread>

namespace vitrine::jobs {
namespace {

using model::JobStatus;

class EngineTest : public testing::Test {
protected:
  /// Claims the next job as a worker of another process would.
  std::optional<model::Job> claim(std::string const& worker, std::int64_t lease_seconds) {
    constexpr std::array kinds{kAddMembers, kRemoveMembers, kAnswerShares};
    return house_.real
        ->write([&](store::Connection& connection) {
          auto const now = house_.clock.now();
          return store::Jobs(connection)
              .claim(model::JobLane::quick, kinds, worker, now,
                     now + lease_seconds * kMicrosecondsPerSecond);
        })
        .value();
  }
  bool run() { return house_.engine->run_next(model::JobLane::quick).value(); }

  House house_;
};

TEST_F(EngineTest, AJobRunsAndTellsEveryPair) {
  auto arguments = house_.pairs(3, 2);
  arguments.projects.insert(arguments.projects.begin() + 1, {"nobody"});
  auto const id = house_.submit(kAddMembers, arguments);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::init);
  house_.clock.advance(1000);
  EXPECT_TRUE(run());
  EXPECT_FALSE(run());
  auto const report = house_.report(id);
  EXPECT_EQ(report.job.status, JobStatus::fail);
  EXPECT_EQ(report.job.failure->fault, Fault::project_unknown);
  EXPECT_EQ(report.job.began_at, kTestStart + 1000);
  EXPECT_EQ(report.job.ended_at, kTestStart + 1000);
  EXPECT_EQ(report.job.done, 9);
  ASSERT_EQ(report.failures.size(), 3U);
  for (auto const& failures : report.failures) {
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].index, 1U);
  }
  EXPECT_EQ(house_.members(arguments.images[2]), 2U);
}

TEST_F(EngineTest, TheFirstFailureIsThatOfTheFirstImage) {
  auto arguments = house_.pairs(1, 1);
  arguments.images.insert(arguments.images.begin(), {new_uuid()});
  arguments.projects.push_back({"nobody"});
  auto const id = house_.submit(kAddMembers, arguments);
  EXPECT_TRUE(run());
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::image_not_found);
}

TEST_F(EngineTest, JobsOfAProjectOnOneImageWaitForEachOther) {
  auto const first = house_.pairs(2, 1);
  auto const one = house_.submit(kAddMembers, first);
  auto second = first;
  second.images = {first.images[1]};
  auto const two = house_.submit(kRemoveMembers, second);
  auto third = first;
  third.images = {house_.image(7)};
  auto const three = house_.submit(kAddMembers, third);
  EXPECT_EQ(claim("w1", 30)->id, one);
  EXPECT_EQ(claim("w2", 30)->id, three) << "it shares no image with the first";
  EXPECT_FALSE(claim("w3", 30)) << "the second must wait for the first";
  house_.clock.advance(31 * kMicrosecondsPerSecond);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(run());
  EXPECT_EQ(house_.report(two).job.status, JobStatus::success);
  EXPECT_EQ(house_.members(first.images[0]), 1U);
  EXPECT_EQ(house_.members(first.images[1]), 0U);
}

TEST_F(EngineTest, AnotherProjectsJobNeitherWaitsNorTells) {
  auto const arguments = house_.pairs(1, 1);
  house_.submit(kAddMembers, arguments);
  EXPECT_TRUE(claim("w1", 30));
  model::Caller stranger = house_.owner;
  stranger.project = {"stranger"};
  auto const id = house_.submitter->submit(stranger, pairs_order(kAnswerShares, arguments)).value();
  EXPECT_EQ(claim("w2", 30)->id, id);
  EXPECT_EQ(house_.submitter->report(house_.owner, id).error().fault, Fault::job_not_found);
  EXPECT_EQ(house_.submitter->report(stranger, {"nope"}).error().fault, Fault::job_not_found);
}

TEST_F(EngineTest, AHeldJobIsTakenOverOnlyAfterItsLease) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  EXPECT_EQ(claim("dead", 30)->attempt, 1);
  EXPECT_FALSE(run());
  house_.clock.advance(30 * kMicrosecondsPerSecond);
  EXPECT_TRUE(run());
  EXPECT_EQ(house_.report(id).job.attempt, 0) << "it made progress";
}

TEST_F(EngineTest, AtStartJobsOfTheProcessBeforeAreFree) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  EXPECT_TRUE(claim("dead", 3000));
  EXPECT_TRUE(house_.engine->take_over());
  EXPECT_TRUE(run());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

TEST_F(EngineTest, AtStartJobsOfOtherServersAreLeftAlone) {
  house_.submit(kAddMembers, house_.pairs(1, 1));
  EXPECT_TRUE(claim("busy", 30));
  auto const beside = house_.new_engine({.alone = false});
  EXPECT_TRUE(beside->take_over());
  EXPECT_FALSE(beside->run_next(model::JobLane::quick).value());
  house_.clock.advance(30 * kMicrosecondsPerSecond);
  EXPECT_TRUE(beside->run_next(model::JobLane::quick).value());
}

TEST_F(EngineTest, ImageDataIsNotCarriedWhereItMayNotBe) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  ASSERT_TRUE(house_.real->write([&](store::Connection& connection) {
    return connection.run({"test", "UPDATE jobs SET lane = 1"}, {});
  }));
  bool may = false;
  auto const engine = house_.new_engine({.may_carry = [&] { return may; }});
  EXPECT_FALSE(engine->run_next(model::JobLane::carrying).value());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::init);
  may = true;
  EXPECT_TRUE(engine->run_next(model::JobLane::carrying).value());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

TEST_F(EngineTest, AWorkerThatLostItsLeaseChangesNothing) {
  auto const arguments = house_.pairs(1, 1);
  house_.submit(kAddMembers, arguments);
  auto const job = claim("slow", 1);
  house_.clock.advance(2 * kMicrosecondsPerSecond);
  EXPECT_TRUE(claim("other", 30));
  std::atomic<bool> stopping{false};
  JobContext::Lease const lease{.worker = "slow", .length_us = 1};
  JobContext context(*house_.real, house_.clock, stopping, *job, house_.owner, lease);
  bool ran = false;
  auto const outcome = context.commit(1, [&](store::Connection&) -> Result<> {
    ran = true;
    return {};
  });
  EXPECT_EQ(outcome.error().fault, Fault::lease_lost);
  EXPECT_FALSE(ran);
  EXPECT_FALSE(house_.real
                   ->write([&](store::Connection& connection) {
                     return store::Jobs(connection)
                         .end(*job, "slow", JobStatus::success, kTestStart, std::nullopt);
                   })
                   .value());
}

TEST_F(EngineTest, ATransientFailureIsTriedAgainLater) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  std::vector<JobKind> kinds{
      {kAddMembers, [](JobContext&) -> Result<> { return error(Fault::unavailable); }}};
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics, {});
  EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::running);
  EXPECT_FALSE(engine.run_next(model::JobLane::quick).value()) << "not before the pause is over";
  house_.clock.advance(500'000);
  EXPECT_TRUE(run());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

TEST_F(EngineTest, AJobThatRestsIsNobodysAndForgetsEarlierAttempts) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  int runs = 0;
  std::vector<JobKind> kinds{{kAddMembers, [&](JobContext& context) -> Result<> {
                                EXPECT_EQ(context.job().attempt, 1);
                                if (++runs < 5) context.rest(3);
                                return {};
                              }}};
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics,
                {.attempts_max = 2});
  while (runs < 4) {
    EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
    EXPECT_EQ(house_.report(id).job.status, JobStatus::running);
    EXPECT_FALSE(engine.run_next(model::JobLane::quick).value()) << "not before it has rested";
    EXPECT_EQ(house_.rows("SELECT worker FROM jobs", 1), house_.rows("SELECT ''", 1));
    house_.clock.advance(3 * kMicrosecondsPerSecond);
  }
  EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

TEST_F(EngineTest, AJobThatFailsAsAWholeEndsWithItsFailure) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  std::vector<JobKind> kinds{
      {kAddMembers, [](JobContext&) -> Result<> { throw std::runtime_error("a bug"); }}};
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics, {});
  EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::fail);
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::internal);
}

// What is compared after a disturbed run: all but how often it was tried.
std::string all_rows(House& house) {
  return house.rows("SELECT image_id, project_id, status, created_at, updated_at FROM "
                    "image_members ORDER BY 1, 2",
                    5) +
         house.rows("SELECT id, visibility, auto_shared, member_count FROM images ORDER BY 1", 4) +
         house.rows("SELECT position, image_id, failures FROM job_items ORDER BY 1", 3) +
         house.rows("SELECT kind, status, done, total, fault FROM jobs", 5) +
         house.rows("SELECT targets FROM audit_outbox ORDER BY sequence", 1) +
         house.rows("SELECT image_id FROM job_images", 1);
}

PairArguments many(House& house) {
  auto arguments = house.pairs(7, 1299); // more than one image's pairs do not fit a commit
  arguments.projects.push_back({"nobody"});
  return arguments;
}

TEST(EngineCrashTest, KilledBetweenAnyTwoCommitsItEndsAsIfUndisturbed) {
  std::string expected;
  int writes = 0;
  {
    House quiet;
    quiet.submit(kAddMembers, many(quiet));
    quiet.database->writes_left = 1000;
    EXPECT_TRUE(quiet.engine->run_next(model::JobLane::quick).value());
    writes = 1000 - quiet.database->writes_left;
    expected = all_rows(quiet);
  }
  ASSERT_GE(writes, 6) << "claim, at least four commits, end";
  for (int survived = 0; survived <= writes; ++survived) {
    House house;
    house.submit(kAddMembers, many(house));
    house.database->writes_left = survived;
    (void)house.engine->run_next(model::JobLane::quick);
    house.database->writes_left = 1000;
    EXPECT_TRUE(house.engine->take_over());
    house.engine = house.new_engine();
    while (house.engine->run_next(model::JobLane::quick).value()) {
    }
    EXPECT_EQ(all_rows(house), expected) << survived << " commits survived";
  }
}

class EngineGivesUpTest : public testing::Test {
protected:
  /// Another process that dies after so many commits; its claim is one of them.
  void run_and_die(int commits) {
    house_.database->writes_left = commits;
    (void)house_.new_engine(kThreeTries)->run_next(model::JobLane::quick);
    house_.database->writes_left = 1000;
  }
  void run_to_the_end() {
    house_.clock.advance(30 * kMicrosecondsPerSecond);
    house_.engine = house_.new_engine(kThreeTries);
    EXPECT_TRUE(house_.engine->run_next(model::JobLane::quick).value());
  }
  std::uint64_t pairs_counted(std::string_view kind, std::string_view outcome) {
    return house_.metrics.counter(ops::Metric::job_items, {kind, outcome}).value();
  }

  static inline EngineOptions const kThreeTries{.attempts_max = 3};
  House house_;
};

TEST_F(EngineGivesUpTest, KilledAgainAndAgainWithProgressItSucceeds) {
  auto const id = house_.submit(kRemoveMembers, house_.pairs(9, 1500));
  for (int i = 0; i < 8; ++i) {
    run_and_die(2);
    EXPECT_EQ(house_.report(id).job.done, (i + 1) * 1500);
    house_.clock.advance(30 * kMicrosecondsPerSecond);
  }
  run_to_the_end();
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

TEST_F(EngineGivesUpTest, StopsDoNotCountAsTriesButKillsDo) {
  auto const id = house_.submit(kAddMembers, house_.pairs(2, 1));
  for (int i = 0; i < 10; ++i) {
    house_.engine = house_.new_engine(kThreeTries);
    house_.engine->stop();
    EXPECT_TRUE(house_.engine->run_next(model::JobLane::quick).value());
    EXPECT_EQ(house_.report(id).job.attempt, 0);
  }
  run_and_die(1);
  EXPECT_TRUE(house_.engine->take_over());
  EXPECT_EQ(house_.report(id).job.attempt, 1) << "a job that ends its process must end, too";
  run_to_the_end();
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

TEST_F(EngineGivesUpTest, OnlyUnitsThatAreDoneForGoodAreProgress) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  int ran = 0;
  std::vector<JobKind> kinds{{kAddMembers, [&](JobContext& context) -> Result<> {
                                ++ran;
                                auto const nothing = [](store::Connection&) { return Result<>(); };
                                TRY(context.commit(0, nothing));
                                TRY(context.advance(1, 2));
                                house_.database->writes_left = 0; // as if its process had ended
                                return {};
                              }}};
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics, kThreeTries);
  for (int i = 0; i < 10 && !house_.report(id).job.ended_at; ++i) {
    house_.database->writes_left = 1000;
    EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
    house_.clock.advance(30 * kMicrosecondsPerSecond);
  }
  EXPECT_EQ(ran, 3);
  auto const job = house_.report(id).job;
  EXPECT_EQ(job.status, JobStatus::fail);
  EXPECT_EQ(job.failure->fault, Fault::internal);
  EXPECT_EQ(job.failure->detail, "given up after 3 attempts");
}

TEST_F(EngineGivesUpTest, AJobThatEndsItsWorkerDoesNotFailTheOneBesideIt) {
  auto const both = house_.pairs(2, 1);
  auto of_first = both;
  of_first.images.pop_back();
  auto of_second = both;
  of_second.images.erase(of_second.images.begin());
  auto const poison = house_.submit(kAddMembers, of_first);
  auto const innocent = house_.submit(kRemoveMembers, of_second);
  auto const lease_us = 30 * kMicrosecondsPerSecond;
  int beside = 0;
  for (int i = 0; i < 20 && !house_.report(innocent).job.ended_at; ++i) {
    std::unique_ptr<Engine> engine;
    std::vector<JobKind> kinds{{kAddMembers,
                                [&](JobContext&) -> Result<> {
                                  EXPECT_TRUE(engine->run_next(model::JobLane::quick));
                                  house_.database->writes_left = 0; // the process ends
                                  return {};
                                }},
                               {kRemoveMembers, [&](JobContext&) -> Result<> {
                                  if (house_.report(poison).job.ended_at) return {};
                                  ++beside;
                                  house_.database->writes_left = 0;
                                  return {};
                                }}};
    engine = std::make_unique<Engine>(*house_.database, house_.clock, house_.bell, kinds,
                                      house_.metrics, EngineOptions{.attempts_max = 6});
    house_.database->writes_left = 1000;
    EXPECT_TRUE(engine->run_next(model::JobLane::quick).value());
    house_.clock.advance(lease_us);
  }
  EXPECT_EQ(beside, 3);
  EXPECT_EQ(house_.report(poison).job.failure->detail, "given up after 6 attempts");
  EXPECT_EQ(house_.report(innocent).job.status, JobStatus::success);
}

TEST_F(EngineGivesUpTest, AnOutageIsWaitedOutForADay) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  std::vector<JobKind> kinds{
      {kAddMembers, [](JobContext&) -> Result<> { return error(Fault::unavailable); }}};
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics, kThreeTries);
  auto const pass = [&](std::int64_t hours) {
    for (std::int64_t minute = 0; minute < hours * 60; ++minute) {
      EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
      house_.clock.advance(60 * kMicrosecondsPerSecond);
    }
  };
  pass(24);
  EXPECT_EQ(house_.report(id).job.attempt, 0);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(house_.report(id).job.status, JobStatus::running);
    EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
    house_.clock.advance(60 * kMicrosecondsPerSecond);
  }
  EXPECT_EQ(house_.report(id).job.failure->detail, "given up after 3 attempts");
}

TEST_F(EngineGivesUpTest, AJobThatCannotEvenBeGivenUpEnds) {
  auto const id = house_.submit(kAddMembers, house_.pairs(1, 1));
  int ran = 0;
  auto const die = [&]() -> Result<> {
    ++ran;
    house_.database->writes_left = 0;
    return error(Fault::unavailable);
  };
  std::vector<JobKind> kinds{{kAddMembers, [&](JobContext&) { return die(); },
                              [&](JobContext&, Error const&) { return die(); }}};
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics, kThreeTries);
  for (int i = 0; i < 10 && !house_.report(id).job.ended_at; ++i) {
    house_.database->writes_left = 1000;
    EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
    house_.clock.advance(30 * kMicrosecondsPerSecond);
  }
  EXPECT_EQ(ran, 6);
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::internal);
}

TEST_F(EngineGivesUpTest, WithoutProgressWhatIsLeftFailsPairByPair) {
  auto const id = house_.submit(kRemoveMembers, house_.pairs(3, 1500));
  run_and_die(2); // one image is done
  for (int i = 0; i < 3; ++i) {
    house_.clock.advance(30 * kMicrosecondsPerSecond);
    run_and_die(1);
  }
  EXPECT_EQ(house_.report(id).job.status, JobStatus::running);
  run_to_the_end();
  auto const report = house_.report(id);
  EXPECT_EQ(report.job.status, JobStatus::fail);
  EXPECT_EQ(report.job.failure->fault, Fault::member_not_removed);
  EXPECT_EQ(report.job.done, 4500);
  ASSERT_EQ(report.failures.size(), 3U);
  EXPECT_EQ(report.failures[0].size(), 0U);
  ASSERT_EQ(report.failures[1].size(), 1500U);
  ASSERT_EQ(report.failures[2].size(), 1500U);
  EXPECT_EQ(report.failures[2][1499].fault, Fault::member_not_removed);
  EXPECT_EQ(pairs_counted(kRemoveMembers, "success"), 1500U);
  EXPECT_EQ(pairs_counted(kRemoveMembers, "failed"), 3000U);
  std::vector<int> failed_of_event;
  auto const events = house_.rows("SELECT targets FROM audit_outbox ORDER BY sequence", 1);
  for (std::size_t at = 0, end = 0; (end = events.find('\n', at)) != std::string::npos;
       at = end + 1) {
    int failed = 0;
    for (auto found = events.find("member_not_removed", at); found < end;
         found = events.find("member_not_removed", found + 1))
      ++failed;
    failed_of_event.push_back(failed);
  }
  EXPECT_EQ(failed_of_event, (std::vector<int>{0, 0, 1500, 1500})) << "first, it was submitted";
}

TEST_F(EngineGivesUpTest, AKindThatThrowsLeavesAResultForEveryPair) {
  auto kinds = house_.kinds();
  kinds[0].run = [](JobContext&) -> Result<> { throw std::runtime_error("a bug"); };
  Engine engine(*house_.database, house_.clock, house_.bell, kinds, house_.metrics, {});
  auto const id = house_.submit(kAddMembers, house_.pairs(2, 2));
  EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
  auto const report = house_.report(id);
  EXPECT_EQ(report.job.failure->fault, Fault::member_not_stored);
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[1].size(), 2U);
}

TEST_F(EngineGivesUpTest, AKindThatNobodyKnowsIsLeftToOthersForADay) {
  Engine engine(*house_.database, house_.clock, house_.bell, {}, house_.metrics, {});
  auto const id = house_.submit(kAddMembers, house_.pairs(2, 2));
  ASSERT_TRUE(house_.real->write([&](store::Connection& connection) {
    return store::Jobs(connection).insert_sub_jobs(house_.report(id).job, {{"part", "{}", "web"}});
  }));
  house_.clock.advance(store::Jobs::kForsaken_us);
  EXPECT_FALSE(engine.run_next(model::JobLane::quick).value());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::init);
  EXPECT_EQ(house_.report(id).job.attempt, 0);
  house_.clock.advance(1);
  EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::not_offered);
  EXPECT_EQ(house_.report(id).job.failure->detail, "no server knows imsAddImageMembersJob");
  EXPECT_EQ(house_.report(id).job.done, 0);
  EXPECT_EQ(house_.rows("SELECT status, fault, image_name FROM jobs WHERE parent_id <> ''", 3),
            "FAIL|not_offered||\n");
  EXPECT_EQ(pairs_counted(kAddMembers, "success"), 0U);
  EXPECT_EQ(pairs_counted(kAddMembers, "failed"), 4U);
}

TEST(EngineStopTest, StoppingHandsTheJobBackAtOnce) {
  House house;
  auto const id = house.submit(kAddMembers, house.pairs(1, 1));
  house.engine->stop();
  EXPECT_TRUE(house.engine->run_next(model::JobLane::quick).value());
  EXPECT_EQ(house.report(id).job.status, JobStatus::running);
  house.engine = house.new_engine();
  EXPECT_TRUE(house.engine->run_next(model::JobLane::quick).value());
  EXPECT_EQ(house.report(id).job.status, JobStatus::success);
}

// It asked about all that were left first: at SIGTERM a Keystone that hung kept the process.
TEST(EngineStopTest, StoppingAsksAboutNoMoreProjects) {
  House house;
  int asked = 0;
  house.projects.while_asked = [&] {
    ++asked;
    house.engine->stop();
  };
  auto const id = house.submit(kAddMembers, house.pairs(1, 3));
  EXPECT_TRUE(house.engine->run_next(model::JobLane::quick).value());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(house.report(id).job.status, JobStatus::running);
  EXPECT_EQ(house.report(id).job.attempt, 0) << "it does not count";
}

// The lease was kept for as long as the process lived.
TEST(EngineThreadsTest, AWorkerThatHangsLosesItsLeaseAndChangesNothingMore) {
  House house;
  auto of_hung = house.pairs(2, 1);
  auto of_lively = of_hung;
  of_hung.images.pop_back();
  of_lively.images.erase(of_lively.images.begin());
  std::latch woken(1);
  std::latch told(1);
  std::atomic<bool> over{false};
  Result<> late;
  std::vector<JobKind> kinds{{kAddMembers,
                              [&](JobContext& context) -> Result<> {
                                woken.wait();
                                late = context.commit(1, [](auto&) { return Result<>(); });
                                told.count_down();
                                return late;
                              }},
                             {kRemoveMembers, [&](JobContext& context) -> Result<> {
                                while (!over && !context.stopping())
                                  std::this_thread::yield();
                                return {};
                              }}};
  Engine engine(*house.real, house.clock, house.bell, kinds, house.metrics,
                EngineOptions{.lease_seconds = 1});
  auto const hung = house.submit(kAddMembers, of_hung);
  auto const lively = house.submit(kRemoveMembers, of_lively);
  auto const is_held = [&](JobId const& id) {
    return house.rows(fmt::format("SELECT 1 FROM jobs WHERE id = '{}' AND lease_until > {}",
                                  id.text, house.clock.now().us),
                      1) == "1|\n";
  };
  engine.start();
  while (!is_held(hung) || !is_held(lively))
    std::this_thread::yield();
  house.clock.advance(19 * 60 * kMicrosecondsPerSecond);
  while (!is_held(hung))
    std::this_thread::yield();
  house.clock.advance(61 * kMicrosecondsPerSecond);
  while (!is_held(lively))
    std::this_thread::yield();
  EXPECT_FALSE(is_held(hung));

  std::vector<JobKind> const others{{kAddMembers, [](JobContext&) { return Result<>(); }}};
  Engine other(*house.real, house.clock, house.bell, others, house.metrics, {});
  EXPECT_TRUE(other.run_next(model::JobLane::quick).value());
  EXPECT_EQ(house.report(hung).job.status, JobStatus::success);
  woken.count_down();
  told.wait();
  over = true;
  engine.stop();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, Fault::lease_lost);
  EXPECT_EQ(house.report(hung).job.done, 0);
  EXPECT_EQ(house.report(lively).job.status, JobStatus::success);
}

TEST(EngineThreadsTest, WorkersEndEveryJobAndKeepTheOrder) {
  House house;
  auto const arguments = house.pairs(2, 3);
  std::vector<JobId> jobs;
  house.engine->start();
  std::vector<std::thread> clients;
  std::mutex mutex;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        auto const id = house.submit(kAddMembers, arguments);
        std::lock_guard const lock(mutex);
        jobs.push_back(id);
      }
    });
  }
  for (auto& client : clients)
    client.join();
  jobs.push_back(house.submit(kRemoveMembers, arguments));
  for (;;) {
    auto const heard = house.bell.rings();
    if (house.report(jobs.back()).job.ended_at) break;
    house.bell.wait(heard, std::chrono::milliseconds(50));
  }
  house.engine->stop();
  for (auto const& id : jobs)
    EXPECT_EQ(house.report(id).job.status, JobStatus::success);
  EXPECT_EQ(house.members(arguments.images[0]), 0U);
}

TEST(CallerJsonTest, KeepsWhoAsked) {
  model::Caller caller;
  caller.user = {"u"};
  caller.user_name = "näme\"";
  caller.project = {"p"};
  caller.domain = {"d"};
  caller.roles = {"member", "reader"};
  caller.is_admin = true;
  caller.request_id = "req-1";
  caller.address = "::1";
  auto const back = caller_from_json(caller_to_json(caller)).value();
  EXPECT_EQ(back.user, caller.user);
  EXPECT_EQ(back.user_name, caller.user_name);
  EXPECT_EQ(back.project, caller.project);
  EXPECT_EQ(back.domain, caller.domain);
  EXPECT_EQ(back.roles, caller.roles);
  EXPECT_TRUE(back.is_admin);
  EXPECT_EQ(back.request_id, caller.request_id);
  EXPECT_EQ(back.address, caller.address);
  EXPECT_EQ(caller_from_json("[]").error().fault, Fault::internal);
}

} // namespace
} // namespace vitrine::jobs
