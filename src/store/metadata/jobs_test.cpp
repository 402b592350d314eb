// Whose turn it is: projects with many jobs do not hold up those with few.
#include "base/ids.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/jobs.hpp"

#include <array>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace vitrine::store {
namespace {

constexpr Time kNow{1'700'000'000'000'000};
constexpr std::int64_t kMinute_us = 60 * kMicrosecondsPerSecond;

class TurnsTest : public testing::Test {
protected:
  TurnsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vitrine_turns_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    kept_ = std::make_unique<TestStore>(path_);
    database_ = kept_->open().value();
  }
  ~TurnsTest() override {
    database_.reset();
    kept_.reset();
    std::filesystem::remove_all(path_);
  }

  /// Jobs of a project, in one commit; each touches the images.
  void submit(std::string const& project, int count, std::vector<ImageId> const& images = {},
              model::JobLane lane = model::JobLane::quick) {
    ASSERT_TRUE(database_->write([&](Connection& connection) -> Result<> {
      for (int i = 0; i < count; ++i) {
        model::Job job;
        job.id = {new_hex_id()};
        job.kind = "kind";
        job.project = {project};
        job.arguments_json = job.caller_json = "{}";
        job.submitted_at = now_;
        job.total = 1;
        TRY(Jobs(connection).insert(job, lane, images));
      }
      return {};
    }));
  }
  std::optional<model::Job> claim(model::JobLane lane = model::JobLane::quick,
                                  std::string_view kind = "kind") {
    std::array const kinds{std::string_view("other"), kind};
    return database_
        ->write([&](Connection& connection) {
          return Jobs(connection).claim(lane, kinds, "worker", now_, now_ + kMinute_us);
        })
        .value();
  }
  void end(model::Job const& job) {
    ASSERT_TRUE(database_
                    ->write([&](Connection& connection) {
                      return Jobs(connection)
                          .end(job, "worker", model::JobStatus::success, now_, std::nullopt);
                    })
                    .value());
  }
  /// The projects of the next jobs that run one after the other.
  std::string run(int count) {
    std::string order;
    for (int i = 0; i < count; ++i) {
      auto const job = claim();
      if (!job) return order + ".";
      order += job->project.text;
      end(*job);
    }
    return order;
  }

  Time now_{kNow};
  std::filesystem::path path_;
  std::unique_ptr<TestStore> kept_;
  std::unique_ptr<Database> database_;
};

TEST_F(TurnsTest, each_lane_has_its_own_jobs_and_turns) {
  submit("a", 2, {}, model::JobLane::carrying);
  auto const carried = claim(model::JobLane::carrying);
  ASSERT_TRUE(carried);
  EXPECT_FALSE(claim());
  submit("b", 1);
  EXPECT_EQ(claim()->project.text, "b");
  submit("c", 1, {}, model::JobLane::carrying);
  EXPECT_EQ(claim(model::JobLane::carrying)->project.text, "c") << "a has had its turn";
  EXPECT_EQ(claim(model::JobLane::carrying)->project.text, "a");
}

TEST_F(TurnsTest, kinds_that_a_worker_does_not_know_are_left_to_others_for_a_day) {
  submit("a", 2);
  for (auto const* kind : {"newer", "kin", "ind", ""})
    EXPECT_FALSE(claim(model::JobLane::quick, kind)) << kind;
  EXPECT_EQ(claim()->attempt, 1);
  now_ = now_ + Jobs::kForsaken_us;
  EXPECT_FALSE(claim(model::JobLane::quick, "newer"));
  now_ = now_ + 1;
  EXPECT_TRUE(claim(model::JobLane::quick, "newer"));
}

// An older server ended it as unknown whenever it rested, once it had run for a day elsewhere.
TEST_F(TurnsTest, what_somebody_held_within_a_day_is_left_to_them) {
  submit("a", 1);
  auto const job = claim().value();
  now_ = now_ + 2 * Jobs::kForsaken_us;
  auto const rested_until = now_;
  ASSERT_TRUE(database_->write([&](Connection& connection) {
    return Jobs(connection).rest(job.id, "worker", rested_until);
  }));
  EXPECT_FALSE(claim(model::JobLane::quick, "newer"));
  now_ = rested_until + Jobs::kForsaken_us;
  EXPECT_FALSE(claim(model::JobLane::quick, "newer"));
  now_ = now_ + 1;
  EXPECT_TRUE(claim(model::JobLane::quick, "newer"));
}

TEST_F(TurnsTest, OneJobDoesNotWaitForAThousandOfAnother) {
  submit("a", 1000);
  EXPECT_EQ(run(500), std::string(500, 'a'));
  submit("b", 1);
  EXPECT_EQ(run(3), "aba") << "the job that was next comes first";
  auto const running = claim();
  submit("c", 1);
  EXPECT_EQ(run(2), "ca");
}

TEST_F(TurnsTest, ProjectsTakeTurnsAndKeepTheirOrder) {
  submit("a", 5);
  submit("b", 2);
  submit("c", 3);
  EXPECT_EQ(run(11), "abcabcacaa.");
  std::int64_t last = 0;
  submit("a", 20);
  for (int i = 0; i < 20; ++i) {
    auto const job = claim();
    EXPECT_GT(job->sequence, last);
    last = job->sequence;
  }
}

TEST_F(TurnsTest, APauseSavesNothingUp) {
  submit("a", 100);
  EXPECT_EQ(run(50), std::string(50, 'a'));
  submit("b", 4);
  EXPECT_EQ(run(8), "abababab") << "not four in a row for the time before";
}

TEST_F(TurnsTest, AJobThatOvertookItsNeighboursTellsNoTurn) {
  submit("a", 50, {{"one"}});
  submit("a", 50, {{"two"}});
  submit("a", 1, {{"three"}});
  auto const one = claim();
  auto const two = claim();
  auto const three = claim(); // the others wait for their images
  EXPECT_GT(three->sequence, two->sequence + 1);
  submit("b", 1);
  end(*one);
  EXPECT_EQ(run(1), "b");
}

TEST_F(TurnsTest, AJobThatBacksOffLetsNobodyCatchUpWithIt) {
  submit("a", 100);
  auto const failed = claim();
  ASSERT_TRUE(database_->write([&](Connection& connection) {
    return Jobs(connection).release(failed->id, "worker", now_ + kMinute_us);
  }));
  EXPECT_EQ(run(50), std::string(50, 'a'));
  submit("b", 3);
  EXPECT_EQ(run(6), "ababab");
  now_ = now_ + 2 * kMinute_us;
  EXPECT_EQ(claim()->id, failed->id);
}

TEST_F(TurnsTest, WithNothingButABackOffTheTurnsGoOn) {
  submit("a", 100);
  EXPECT_EQ(run(99), std::string(99, 'a'));
  auto const failed = claim();
  ASSERT_TRUE(database_->write([&](Connection& connection) {
    return Jobs(connection).release(failed->id, "worker", now_ + kMinute_us);
  }));
  submit("b", 100);
  now_ = now_ + 2 * kMinute_us;
  EXPECT_EQ(claim()->id, failed->id) << "it does not stand behind all of b";
}

TEST_F(TurnsTest, sub_jobs_are_told_and_never_claimed) {
  submit("a", 1, {}, model::JobLane::carrying);
  auto const job = claim(model::JobLane::carrying).value();
  auto const write = [&](Database::Work const& work) { ASSERT_TRUE(database_->write(work)); };
  write([&](Connection& connection) {
    return Jobs(connection)
        .insert_sub_jobs(job, {{"first", "{1}", "web"}, {"second", "{2}", "web-data1"}});
  });
  auto const sub_jobs = [&](JobId const& of) {
    return database_->read([&](Connection& connection) { return Jobs(connection).sub_jobs(of); })
        .value();
  };
  auto const before = sub_jobs(job.id);
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].kind + before[1].kind, "firstsecond");
  EXPECT_EQ(before[1].arguments_json + before[1].image_name, "{2}web-data1");
  EXPECT_EQ(before[0].parent, job.id);
  EXPECT_EQ(before[0].project, job.project);
  EXPECT_EQ(before[0].status, model::JobStatus::init);
  EXPECT_TRUE(sub_jobs(before[0].id).empty());
  EXPECT_TRUE(sub_jobs({}).empty());
  for (auto const lane : {model::JobLane::quick, model::JobLane::carrying})
    EXPECT_FALSE(claim(lane));

  write([&](Connection& connection) -> Result<> {
    Jobs jobs(connection);
    for (auto const& part : before) {
      TRY(jobs.set_image(part.id, {"image"}, part.image_name));
      TRY(jobs.begin_sub_job(part.id, now_));
      TRY(jobs.advance_sub_job(part.id, 3, 4));
    }
    TRY(jobs.end_sub_job(before[0].id, now_, std::nullopt));
    TRY(jobs.end_sub_job(before[1].id, now_, error(Fault::format_unsafe, "why")));
    return jobs.end_sub_job(before[1].id, now_ + kMinute_us, std::nullopt); // has no effect
  });
  auto const after = sub_jobs(job.id);
  EXPECT_EQ(after[0].status, model::JobStatus::success);
  EXPECT_EQ(after[0].image.text + after[0].image_name, "imageweb");
  EXPECT_EQ(std::pair(after[0].done, after[0].total), std::pair(std::int64_t{3}, std::int64_t{4}));
  EXPECT_EQ(after[1].status, model::JobStatus::fail);
  EXPECT_EQ(after[1].image.text + after[1].image_name, "");
  EXPECT_EQ(after[1].failure->fault, Fault::format_unsafe);
  EXPECT_EQ(after[1].failure->detail, "why");
  EXPECT_EQ(after[1].ended_at, now_);
}

TEST_F(TurnsTest, sub_jobs_do_not_count_and_go_with_their_job) {
  submit("a", 1, {}, model::JobLane::carrying);
  auto const job = claim(model::JobLane::carrying).value();
  std::string_view const kinds[] = {"kind", "part"};
  ASSERT_TRUE(database_->write([&](Connection& connection) -> Result<> {
    Jobs jobs(connection);
    TRY(jobs.insert_sub_jobs(job, {{"part", "{}", ""}, {"part", "{}", ""}}));
    EXPECT_EQ(TRY(jobs.count_open(kinds, {})), 1);
    EXPECT_EQ(TRY(jobs.open_jobs()).count, 1);
    for (auto const& part : TRY(jobs.sub_jobs(job.id)))
      TRY(jobs.end_sub_job(part.id, now_, std::nullopt));
    return {};
  }));
  now_ = now_ + kMinute_us;
  end(job);
  auto const remove_before = [&](Time before) {
    return database_
        ->write(
            [&](Connection& connection) { return Jobs(connection).remove_expired(before, 100); })
        .value();
  };
  EXPECT_EQ(remove_before(now_), 0); // not before their job
  EXPECT_EQ(remove_before(now_ + 1), 1);
  auto const left =
      database_->read([&](Connection& connection) { return Jobs(connection).sub_jobs(job.id); });
  EXPECT_TRUE(left->empty());
}

} // namespace
} // namespace vitrine::store
