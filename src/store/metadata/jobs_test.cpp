// Whose turn it is: projects with many jobs do not hold up those with few.
#include "base/ids.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/jobs.hpp"

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
  std::optional<model::Job> claim(model::JobLane lane = model::JobLane::quick) {
    return database_
        ->write([&](Connection& connection) {
          return Jobs(connection).claim(lane, "worker", now_, now_ + kMinute_us);
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

} // namespace
} // namespace vitrine::store
