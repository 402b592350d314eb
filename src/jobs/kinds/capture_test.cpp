#include "cloud/backups.hpp"
#include "cloud/compute.hpp"
#include "cloud/volumes.hpp"
#include "jobs/house_test.hpp"
#include "jobs/kinds/capture_image.hpp"
#include "jobs/kinds/remove_backups.hpp"

#include <map>
#include <set>
#include <stdexcept>

namespace vitrine::jobs {
namespace {

using cloud::Rights;
using model::JobStatus;
using Id = std::optional<std::string>;

constexpr std::int64_t kMinute_us = 60 * kMicrosecondsPerSecond;

/// Volumes and snapshots that are there at once, by id. An image has its data as soon as it is
/// asked for.
class FakeCloud final : public cloud::Compute, public cloud::Volumes, public cloud::Backups {
public:
  explicit FakeCloud(House& house) : house_(house) {}

  std::map<std::string, std::string, std::less<>> volumes;   ///< id and name
  std::map<std::string, std::string, std::less<>> snapshots; ///< id and name
  std::vector<std::string> started;
  bool silent{false};
  bool loses_answers{false};                               ///< what it starts, nobody hears of
  std::map<std::string, std::string, std::less<>> backups; ///< id and status
  std::set<std::string, std::less<>> kept;                 ///< backups that may not be removed

  Result<cloud::Server> server(Rights const&, std::string_view) override { return no_answer(); }
  Result<ImageId> start_image(Rights const&, std::string_view of, std::string_view name) override {
    TRY(look());
    model::Image image;
    image.id = {new_uuid()};
    image.owner = house_.owner.project;
    image.name = name;
    image.status = model::ImageStatus::active;
    TRY(house_.real->write(
        [&](store::Connection& connection) { return store::Images(connection).insert(image); }));
    return answered("image of " + std::string(of), image.id);
  }

  Result<std::optional<cloud::Volume>> volume(Rights const&, std::string_view id) override {
    TRY(look());
    if (!volumes.contains(id)) return std::nullopt;
    return cloud::Volume{.status = id == "source" ? "in-use" : "available",
                         .size_gib = 1,
                         .encrypted = false,
                         .server = {},
                         .image = {}};
  }
  Result<Id> snapshot(Rights const&, std::string_view id) override {
    TRY(look());
    return snapshots.contains(id) ? Id("available") : Id();
  }
  Result<Id> volume_named(Rights const&, std::string_view name) override {
    return named(volumes, name);
  }
  Result<Id> snapshot_named(Rights const&, std::string_view name) override {
    return named(snapshots, name);
  }
  Result<std::string> start_snapshot(Rights const&, std::string_view,
                                     std::string_view name) override {
    return start(snapshots, "snapshot", name);
  }
  Result<std::string> start_volume(Rights const&, std::string_view,
                                   std::string_view name) override {
    return start(volumes, "copy", name);
  }
  Result<bool> remove_volume(Rights const&, std::string_view id) override {
    TRY(look());
    volumes.erase(std::string(id));
    return true;
  }
  Result<bool> remove_snapshot(Rights const&, std::string_view id) override {
    TRY(look());
    snapshots.erase(std::string(id));
    return true;
  }

  Result<std::optional<cloud::Backup>> backup(Rights const&, std::string_view id) override {
    TRY(look());
    auto const found = backups.find(id);
    if (found == backups.end()) return std::nullopt;
    return cloud::Backup{.status = found->second, .size_gib = 1, .volume = {}};
  }
  Result<Id> backup_named(Rights const&, std::string_view) override { return no_answer(); }
  Result<std::string> start_backup(Rights const&, std::string_view, std::string_view) override {
    return no_answer();
  }
  Result<std::string> start_restore(Rights const&, std::string_view, std::string_view) override {
    return no_answer();
  }
  Result<bool> remove_backup(Rights const& rights, std::string_view id) override {
    TRY(look());
    EXPECT_EQ(rights.endpoint + rights.token, "vtoken");
    if (kept.contains(id)) return error(Fault::cloud_failed, "not " + std::string(id));
    auto const found = backups.find(id);
    bool const goes = found->second == "available";
    if (goes) backups.erase(found);
    return goes;
  }

private:
  using Things = std::map<std::string, std::string, std::less<>>;

  static Error no_answer() { return error(Fault::cloud_unavailable, "the service is silent"); }
  [[nodiscard]] Result<> look() const { return silent ? Result<>(no_answer()) : Result<>(); }
  Result<Id> named(Things const& things, std::string_view name) const {
    TRY(look());
    for (auto const& [id, of_thing] : things) {
      if (of_thing == name) return Id(id);
    }
    return Id();
  }
  Result<std::string> start(Things& things, std::string_view what, std::string_view name) {
    if (auto found = TRY(named(things, name))) return std::move(*found);
    auto id = new_uuid();
    things[id] = name;
    return answered(what, id);
  }
  template <class Answer>
  Result<Answer> answered(std::string_view what, Answer answer) {
    started.emplace_back(what);
    if (loses_answers) return no_answer();
    return answer;
  }

  House& house_;
};

class FakeMandates final : public model::Mandates {
public:
  bool closed{false};

  Result<model::Mandate> give(model::Caller const&, std::string_view) override {
    return error(Fault::internal);
  }
  Result<model::CallTokens> open(model::Caller const&, std::string_view secret) override {
    EXPECT_EQ(secret, "sealed");
    if (closed) return error(Fault::unavailable, "sealed with another key");
    return model::CallTokens{"token", ""};
  }
};

class CaptureTest : public testing::Test {
protected:
  CaptureTest() { cloud_.volumes["source"] = "a volume"; }

  /// An image of a volume that is in use: a snapshot, a copy, and their end.
  JobId submit() {
    service::CaptureRequest request{
        .source = service::CaptureSource::volume, .id = "source", .draft = {}};
    request.draft.owner = house_.owner.project;
    request.draft.name = "made";
    auto const order =
        capture_order(captures_, request, {.secret = "sealed", .compute = "c", .volumes = "v"});
    return house_.submitter->submit(house_.owner, order).value();
  }
  /// Attempts until the job has ended; how many it took.
  int run_to_end(JobId const& id) {
    int attempts = 0;
    while (!house_.report(id).job.ended_at) {
      if (++attempts > 500) throw std::runtime_error("the job does not end");
      (void)engine_.run_next(model::JobLane::asking);
      house_.clock.advance(kMinute_us);
    }
    return attempts;
  }
  void expect_nothing_left() {
    EXPECT_TRUE(cloud_.snapshots.empty());
    EXPECT_EQ(cloud_.volumes.size(), 1U) << "the source alone";
  }
  std::string images() { return house_.rows("SELECT name, status FROM images", 2); }

  House house_;
  FakeCloud cloud_{house_};
  FakeMandates mandates_;
  service::Captures captures_{*house_.image_rules};
  Engine engine_{*house_.database,
                 house_.clock,
                 house_.bell,
                 capture_kinds({captures_, mandates_, cloud_, cloud_, cloud_, *house_.database,
                                CaptureOptions{}}),
                 house_.metrics,
                 {.attempts_max = 2}};
};

TEST_F(CaptureTest, AVolumeInUseIsCopiedReadAndTheCopyRemoved) {
  auto const id = submit();
  run_to_end(id);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_EQ(images(), "made|active|\n");
  EXPECT_EQ(cloud_.started.size(), 3U);
  expect_nothing_left();
}

TEST_F(CaptureTest, AWorkerKilledAtAnyWriteStartsNothingTwiceAndLeavesNothing) {
  int kills = 0;
  for (int writes = 0;; ++writes, ++kills) {
    cloud_.started.clear();
    auto const id = submit();
    house_.database->writes_left = writes;
    for (int i = 0; i < 20 && house_.database->writes_left > 0; ++i) {
      (void)engine_.run_next(model::JobLane::asking);
      house_.clock.advance(kMinute_us);
    }
    bool const survived = house_.database->writes_left > 0;
    house_.database->writes_left = 1'000'000;
    run_to_end(id);
    EXPECT_EQ(house_.report(id).job.status, JobStatus::success) << writes;
    EXPECT_EQ(cloud_.started.size(), 3U) << writes;
    expect_nothing_left();
    if (survived) break;
  }
  EXPECT_GT(kills, 10);
}

TEST_F(CaptureTest, AServiceThatDoesNotAnswerForLongFailsTheJob) {
  Engine patient(*house_.database, house_.clock, house_.bell,
                 capture_kinds({captures_, mandates_, cloud_, cloud_, cloud_, *house_.database,
                                CaptureOptions{}}),
                 house_.metrics, {});
  cloud_.silent = true;
  auto const id = submit();
  int attempts = 0;
  for (; attempts < 30 && !house_.report(id).job.ended_at; ++attempts) {
    EXPECT_TRUE(patient.run_next(model::JobLane::asking).value());
    house_.clock.advance(kMinute_us);
  }
  EXPECT_EQ(attempts, 10);
  auto const job = house_.report(id).job;
  EXPECT_EQ(job.failure->fault, Fault::cloud_failed);
  EXPECT_EQ(job.failure->detail, "the service is silent");
}

TEST_F(CaptureTest, AJobWhoseAttemptsAreUsedUpStillRemovesWhatItMade) {
  auto const id = submit();
  EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
  ASSERT_EQ(cloud_.snapshots.size(), 1U);
  mandates_.closed = true;
  for (int i = 0; i < 3; ++i) {
    house_.clock.advance(kMinute_us);
    EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
    EXPECT_FALSE(house_.report(id).job.ended_at);
  }
  mandates_.closed = false;
  run_to_end(id);
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::internal);
  EXPECT_EQ(images(), "");
  expect_nothing_left();
}

TEST_F(CaptureTest, WhatNobodyNotedIsRemovedAfterAFailure) {
  cloud_.loses_answers = true;
  auto const id = submit();
  EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
  ASSERT_EQ(cloud_.snapshots.size(), 1U);
  cloud_.loses_answers = false;
  house_.clock.advance(6 * 60 * kMinute_us); // all the time that it has
  run_to_end(id);
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::cloud_failed);
  expect_nothing_left();
}

TEST_F(CaptureTest, WhatCannotBeRemovedHoldsNobodyUpForLongerThanAnHour) {
  auto const id = submit();
  EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
  cloud_.silent = true;
  house_.clock.advance(6 * 60 * kMinute_us);
  EXPECT_GE(run_to_end(id), 60);
  EXPECT_EQ(house_.report(id).job.failure->fault, Fault::cloud_failed);
  EXPECT_EQ(cloud_.snapshots.size(), 1U);
}

TEST_F(CaptureTest, AnImageThatIsThereIsKeptThoughItsCopyCannotBeRemoved) {
  auto const id = submit();
  while (images().empty()) {
    EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
    house_.clock.advance(kMinute_us);
  }
  cloud_.silent = true;
  EXPECT_GE(run_to_end(id), 60);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_EQ(images(), "made|active|\n");
}

/// An image of a whole server is deleted, whose job made the backups "one" and "two".
class RemoveBackupsTest : public CaptureTest {
protected:
  RemoveBackupsTest() { cloud_.backups = {{"one", "available"}, {"two", "available"}}; }

  JobId remove(Result<model::Mandate> const& mandate = model::Mandate{"sealed", "", "v"}) {
    model::Image image;
    image.id = {"00000000-0000-4000-8000-000000000000"};
    image.owner = house_.owner.project;
    image.set_properties({{"__data_origin", "server_backup,one"}, {"__backup_ids", "one,two"}});
    auto const order = remove_backups_order(image, mandate);
    EXPECT_TRUE(house_.database->write([&](store::Connection& connection) {
      return house_.submitter->add(connection, house_.owner, order);
    }));
    auto const id = house_.rows("SELECT id FROM jobs", 1);
    return {id.substr(0, id.find('|'))};
  }
  void expect_told(JobId const& id, std::string const& detail) {
    auto const job = house_.report(id).job;
    EXPECT_EQ(job.status, JobStatus::fail);
    EXPECT_EQ(job.failure->fault, Fault::backups_not_removed);
    EXPECT_EQ(job.failure->detail, detail);
    EXPECT_EQ(house_.rows("SELECT targets FROM audit_outbox", 1),
              R"([{"fault":"backups_not_removed","detail":")" + detail + "\"}]|\n");
  }
};

TEST_F(RemoveBackupsTest, AllGoAndTheTrailHasNothingToAdd) {
  auto const id = remove();
  run_to_end(id);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_TRUE(cloud_.backups.empty());
  EXPECT_EQ(house_.rows("SELECT targets FROM audit_outbox", 1), "");
}

TEST_F(RemoveBackupsTest, OneThatIsRefusedKeepsNoOther) {
  cloud_.kept = {"one"};
  auto const id = remove();
  run_to_end(id);
  EXPECT_EQ(cloud_.backups.size(), 1U);
  EXPECT_TRUE(cloud_.backups.contains("one"));
  expect_told(id, "not one");
}

TEST_F(RemoveBackupsTest, OneThatIsBeingRestoredIsWaitedForForADay) {
  cloud_.backups["two"] = "restoring";
  auto id = remove();
  for (int minutes = 0; minutes < 24 * 60; ++minutes) {
    EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
    EXPECT_FALSE(house_.report(id).job.ended_at) << minutes;
    house_.clock.advance(kMinute_us);
  }
  EXPECT_EQ(run_to_end(id), 2);
  EXPECT_EQ(cloud_.backups.size(), 1U);
  expect_told(id, "not removed in time");
}

TEST_F(RemoveBackupsTest, OneThatIsRestoredGoesAfterwards) {
  cloud_.backups["two"] = "restoring";
  auto const id = remove();
  EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
  cloud_.backups["two"] = "available";
  house_.clock.advance(kMinute_us);
  run_to_end(id);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_TRUE(cloud_.backups.empty());
}

TEST_F(RemoveBackupsTest, ASilentServiceIsWaitedFor) {
  cloud_.silent = true;
  auto const id = remove();
  for (int minutes = 0; minutes < 100; ++minutes) {
    EXPECT_TRUE(engine_.run_next(model::JobLane::asking).value());
    house_.clock.advance(kMinute_us);
  }
  EXPECT_FALSE(house_.report(id).job.ended_at);
  cloud_.silent = false;
  run_to_end(id);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_TRUE(cloud_.backups.empty());
}

TEST_F(RemoveBackupsTest, WithoutAMandateNobodyIsAskedAndItIsTold) {
  cloud_.silent = true;
  auto const id = remove(error(Fault::identity_unavailable));
  EXPECT_EQ(run_to_end(id), 1);
  EXPECT_EQ(cloud_.backups.size(), 2U);
  expect_told(id, std::string(text_of(Fault::identity_unavailable)));
}

} // namespace
} // namespace vitrine::jobs
