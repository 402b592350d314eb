#include "jobs/house_test.hpp"
#include "jobs/kinds/copy_image.hpp"

namespace vitrine::jobs {
namespace {

using model::JobStatus;

class CopyImageTest : public testing::Test {
protected:
  Result<JobId> submit(ImageId const& source, model::Caller const& caller) {
    service::CopyRequest const request{.source = source,
                                       .target = {new_uuid()},
                                       .name = "copy",
                                       .description = "",
                                       .key = "",
                                       .enterprise_project = ""};
    return house_.submitter->submit(caller, copy_order(caller, *house_.copies, request));
  }
  Result<JobId> submit(ImageId const& source) { return submit(source, house_.owner); }
  bool run() { return house_.engine->run_next(model::JobLane::quick).value(); }
  std::string images() {
    return house_.rows("SELECT name, status FROM images ORDER BY COALESCE(name, '')", 2);
  }
  void remove(ImageId const& id) {
    ASSERT_TRUE(house_.real->write([&](store::Connection& connection) -> Result<> {
      store::Images stored(connection);
      return stored.remove(TRY(stored.get(id)), kTestStart);
    }));
  }

  House house_;
};

TEST_F(CopyImageTest, ItTellsOfTheImageOnceThatIsThere) {
  auto const id = submit(house_.image(1)).value();
  auto const waiting = house_.report(id).job;
  EXPECT_EQ(waiting.image, ImageId{});
  EXPECT_EQ(waiting.image_name, "copy");
  EXPECT_TRUE(run());
  auto const done = house_.report(id).job;
  EXPECT_EQ(done.status, JobStatus::success);
  EXPECT_EQ(images(), "|active|\ncopy|active|\n");
  EXPECT_EQ(house_.rows("SELECT name FROM images WHERE id = '" + done.image.text + "'", 1),
            "copy|\n");
}

TEST_F(CopyImageTest, WhatChangedSinceTheRequestFailsItAndLeavesNothing) {
  auto const source = house_.image(1);
  auto const id = submit(source).value();
  remove(source);
  EXPECT_TRUE(run());
  auto const failed = house_.report(id).job;
  EXPECT_EQ(failed.status, JobStatus::fail);
  EXPECT_EQ(failed.failure->fault, Fault::image_not_found);
  EXPECT_EQ(failed.image, ImageId{});
  EXPECT_EQ(failed.image_name, "");
  EXPECT_EQ(images(), "");
  auto const told = house_.rows("SELECT targets FROM audit_outbox ORDER BY sequence", 1);
  EXPECT_NE(told.find(R"("fault":"image_not_found")"), std::string::npos) << told;
}

TEST_F(CopyImageTest, FiveOfAProjectWaitAtMost) {
  auto const source = house_.image(1);
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(submit(source));
  auto const sixth = submit(source);
  EXPECT_EQ(sixth.error().fault, Fault::too_many_jobs);
  EXPECT_EQ(sixth.error().detail, "at most 5 at once");
  EXPECT_EQ(house_.rows("SELECT COUNT(*) FROM jobs", 1), "5|\n");
  EXPECT_TRUE(run());
  EXPECT_TRUE(submit(source)) << "one has ended";
}

TEST_F(CopyImageTest, CopiesOfOthersDoNotCount) {
  auto admin = house_.owner;
  admin.is_admin = true;
  admin.roles.emplace_back("admin");
  admin.project = {"administrators"};
  auto const source = house_.image(1);
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(submit(source, admin));
  EXPECT_TRUE(submit(source));
}

TEST_F(CopyImageTest, AnAttemptThatDiesIsFollowedByOneThatMakesOneImage) {
  auto const id = submit(house_.image(1)).value();
  house_.database->writes_left = 1; // that of the claim
  EXPECT_TRUE(run());
  house_.database->writes_left = 1'000'000;
  house_.clock.advance(60 * kMicrosecondsPerSecond);
  EXPECT_TRUE(run());
  EXPECT_FALSE(run());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_EQ(images(), "|active|\ncopy|active|\n");
}

} // namespace
} // namespace vitrine::jobs
