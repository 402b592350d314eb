#include "jobs/house_test.hpp"
#include "jobs/kinds/copy_image.hpp"
#include "jobs/kinds/export_image.hpp"
#include "jobs/kinds/import_image.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/key_grants.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <future>
#include <span>

namespace vitrine::jobs {
namespace {

using model::JobStatus;

class CopyImageTest : public testing::Test {
protected:
  Result<JobId> submit(ImageId const& source, model::Caller const& caller,
                       std::string const& key = "") {
    service::CopyRequest const request{.source = source,
                                       .target = {new_uuid()},
                                       .name = "copy",
                                       .description = "",
                                       .key = key,
                                       .enterprise_project = ""};
    return house_.submitter->submit(caller, copy_order(caller, *house_.copies, request));
  }
  Result<JobId> submit(ImageId const& source) { return submit(source, house_.owner); }
  bool run() { return house_.engine->run_next(model::JobLane::quick).value(); }
  /// The next one that carries data.
  bool carry() { return house_.engine->run_next(model::JobLane::carrying).value(); }
  std::string images() {
    return house_.rows("SELECT name, status FROM images ORDER BY COALESCE(name, '')", 2);
  }
  /// A key that the owner may use.
  std::string granted_key() {
    auto const key = house_.keys->create("key").value().id;
    EXPECT_TRUE(house_.real->write([&](store::Connection& connection) {
      return store::KeyGrants(connection).grant(key, house_.owner.project.text);
    }));
    return key;
  }
  /// What a download of the image would give.
  std::string data_of(ImageId const& id) {
    std::string out;
    EXPECT_TRUE(house_.real->read([&](store::Connection& connection) -> Result<> {
      auto const image = TRY(store::Images(connection).get(id));
      auto const key = TRY(store::ImageKeys(connection).find(id));
      auto const bytes = TRY(house_.encryption->open(image, key));
      out.resize(bytes->size_bytes());
      return bytes->read(0, std::as_writable_bytes(std::span(out)));
    }));
    return out;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(house_.path / "blobs")) {
      if (is_job_id(entry.path().filename().string())) found.push_back(entry.path());
    }
    return found;
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

TEST_F(CopyImageTest, WithAKeyTheJobCarriesTheData) {
  std::string const data(200'000, 'p');
  auto const id = submit(house_.image_with_data(data), house_.owner, granted_key()).value();
  EXPECT_FALSE(run()) << "it waits among the quick ones";
  EXPECT_TRUE(carry());
  auto const done = house_.report(id).job;
  ASSERT_EQ(done.status, JobStatus::success) << done.failure->detail;
  EXPECT_EQ(data_of(done.image), data);
  EXPECT_EQ(
      house_.rows("SELECT COUNT(*) FROM image_keys WHERE image_id = '" + done.image.text + "'", 1),
      "1|\n");
  EXPECT_EQ(house_.rows("SELECT size, refs FROM blobs WHERE hash_value = ''", 2), "200064|1|\n");
  EXPECT_EQ(house_.rows("SELECT COUNT(*) FROM uploads", 1), "0|\n");
  auto const back = submit(done.image, house_.owner).value();
  EXPECT_FALSE(run()) << "it opens what a key sealed";
  EXPECT_TRUE(carry());
  EXPECT_EQ(data_of(house_.report(back).job.image), data);
  EXPECT_EQ(files().size(), 2U) << "the plain copy shares the bytes of the source";
}

// A Barbican that was slow held the only writer of SQLite, and with it all requests that write.
TEST_F(CopyImageTest, NobodyWaitsWhileTheKeyServiceIsAsked) {
  int asked = 0;
  int others = 100;
  std::vector<std::future<void>> writers; // outlive a unit of work that blocks them
  house_.slow_keys->while_asked = [&] {
    ++asked;
    writers.push_back(std::async(std::launch::async, [&] { house_.image(++others); }));
    ASSERT_EQ(writers.back().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  };
  auto const expect_asked = [&](int times, char const* by) {
    EXPECT_EQ(asked, times) << by;
    asked = 0;
  };
  auto const key = granted_key();
  auto const copy = submit(house_.image_with_data("data"), house_.owner, key).value();
  expect_asked(1, "the request for a copy");
  EXPECT_TRUE(carry());
  expect_asked(1, "its job");
  auto const image = house_.report(copy).job.image;
  ASSERT_FALSE(image.empty());

  PairArguments const pairs{.images = {image}, .projects = {house_.owner.project, {"b"}}};
  auto const share = house_.submit(kAddMembers, pairs);
  EXPECT_TRUE(run());
  expect_asked(1, "a job that shares");
  EXPECT_EQ(house_.report(share).failures.at(0).size(), 2U);
  EXPECT_EQ(house_.sharing->add(house_.owner, image, {"b"}).error().fault, Fault::not_shareable);
  expect_asked(1, "a share by itself");

  std::filesystem::create_directories(house_.path / "buckets/owner/bucket");
  service::ExportRequest const out{.image = image, .target = {"bucket", "disk"}, .format = "raw"};
  auto const order = export_order(house_.owner, *house_.exports, out);
  auto const exported = house_.submitter->submit(house_.owner, order).value();
  expect_asked(1, "the request for an export");
  EXPECT_TRUE(carry());
  expect_asked(1, "its job");
  EXPECT_EQ(house_.report(exported).job.status, JobStatus::success);

  service::ImportRequest in;
  in.source = {"bucket", "disk"};
  in.draft.id = {new_uuid()};
  in.draft.owner = house_.owner.project;
  in.draft.name = "import";
  in.draft.container_format = "bare";
  in.draft.set_properties({{"__system__cmkid", key}});
  auto const imported =
      house_.submitter
          ->submit(house_.owner, import_order(kImportImage, house_.owner, *house_.imports, in))
          .value();
  expect_asked(1, "the request for an import");
  EXPECT_TRUE(carry());
  expect_asked(1, "its job");
  EXPECT_EQ(house_.report(imported).job.status, JobStatus::success);
  EXPECT_EQ(data_of(in.draft.id), "data");

  auto const by_default = submit(image, house_.owner, "ims/default").value();
  expect_asked(2, "a request for a copy from one key to the default one");
  EXPECT_TRUE(carry());
  expect_asked(2, "its job");
  EXPECT_EQ(house_.report(by_default).job.status, JobStatus::success);
}

TEST_F(CopyImageTest, AKeyServiceThatDoesNotAnswerRefusesWhatNeedsIt) {
  auto const key = granted_key();
  auto const source = house_.image_with_data("data");
  house_.slow_keys->answer = error(Fault::unavailable, "The key service does not answer.");
  EXPECT_EQ(submit(source, house_.owner, key).error().fault, Fault::job_not_stored);
  EXPECT_TRUE(submit(source));
}

TEST_F(CopyImageTest, AKeyThatIsDisabledMeanwhileFailsItAndLeavesNothing) {
  auto const key = granted_key();
  auto const id = submit(house_.image_with_data("data"), house_.owner, key).value();
  ASSERT_TRUE(house_.keys->set_enabled(key, false));
  EXPECT_TRUE(carry());
  auto const failed = house_.report(id).job;
  EXPECT_EQ(failed.status, JobStatus::fail);
  EXPECT_EQ(failed.failure->fault, Fault::new_key_disabled);
  EXPECT_EQ(images(), "|active|\n");
  EXPECT_EQ(files().size(), 1U);
}

TEST_F(CopyImageTest, DamageIsNotCopied) {
  auto const source = house_.image_with_data("data");
  std::ofstream(files().at(0)) << "dota";
  auto const id = submit(source, house_.owner, granted_key()).value();
  EXPECT_TRUE(carry());
  auto const failed = house_.report(id).job;
  EXPECT_EQ(failed.status, JobStatus::fail);
  EXPECT_EQ(failed.failure->detail, "The data of the source is damaged.");
  EXPECT_EQ(images(), "|active|\n");
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(house_.rows("SELECT COUNT(*) FROM uploads", 1), "0|\n");
}

// Each was taken for an outage and tried again for a day.
TEST_F(CopyImageTest, DataThatIsLostFailsACopyAndAnExportAtOnce) {
  auto const source = house_.image_with_data("data");
  auto const key = granted_key();
  std::filesystem::create_directories(house_.path / "buckets/owner/bucket");
  service::ExportRequest const out{.image = source, .target = {"bucket", "disk"}, .format = ""};
  auto const file = files().at(0);
  for (auto const* left : {"dat", ""}) {
    std::ofstream(file) << left;
    if (*left == '\0') std::filesystem::remove(file);
    auto const copy = submit(source, house_.owner, key).value();
    auto const order = export_order(house_.owner, *house_.exports, out);
    auto const exported = house_.submitter->submit(house_.owner, order).value();
    EXPECT_TRUE(carry());
    EXPECT_TRUE(carry());
    for (auto const& id : {copy, exported}) {
      auto const failed = house_.report(id).job;
      ASSERT_EQ(failed.status, JobStatus::fail) << left;
      EXPECT_EQ(failed.failure->fault, Fault::internal);
      EXPECT_EQ(failed.failure->detail, "The image store does not have all the data of the image.");
    }
    EXPECT_EQ(images(), "|active|\n");
    EXPECT_TRUE(std::filesystem::is_empty(house_.path / "buckets/owner/bucket"));
  }
}

// It was taken for an outage and tried again for a day.
TEST_F(CopyImageTest, DamageOfEncryptedDataFailsACopyAndAnExportAtOnce) {
  auto const made = submit(house_.image_with_data("data"), house_.owner, granted_key()).value();
  EXPECT_TRUE(carry());
  auto const source = house_.report(made).job.image;
  for (auto const& file : files()) {
    if (std::filesystem::file_size(file) == 20) std::ofstream(file) << std::string(20, 'x');
  }
  std::filesystem::create_directories(house_.path / "buckets/owner/bucket");
  service::ExportRequest const out{.image = source, .target = {"bucket", "disk"}, .format = "raw"};
  auto const copy = submit(source).value();
  auto const order = export_order(house_.owner, *house_.exports, out);
  auto const exported = house_.submitter->submit(house_.owner, order).value();
  EXPECT_TRUE(carry());
  EXPECT_TRUE(carry());
  for (auto const& id : {copy, exported}) {
    auto const failed = house_.report(id).job;
    ASSERT_EQ(failed.status, JobStatus::fail);
    EXPECT_EQ(failed.failure->fault, Fault::internal);
    EXPECT_EQ(failed.failure->detail, "The data of the image is damaged in the image store.");
  }
  EXPECT_EQ(images(), "|active|\ncopy|active|\n");
  EXPECT_EQ(files().size(), 2U);
  EXPECT_TRUE(std::filesystem::is_empty(house_.path / "buckets/owner/bucket"));
}

TEST_F(CopyImageTest, AfterADeathAnywhereTheNextAttemptMakesOneEncryptedImage) {
  auto const source = house_.image_with_data("data");
  auto const key = granted_key();
  int deaths = 0;
  for (bool died = true; died && deaths < 20;) {
    died = false;
    auto const id = submit(source, house_.owner, key).value();
    house_.database->writes_left = deaths + 1;
    EXPECT_TRUE(carry());
    house_.database->writes_left = 1'000'000;
    for (int i = 0; i < 3 && house_.report(id).job.status != JobStatus::success; ++i) {
      died = true;
      house_.clock.advance(120 * kMicrosecondsPerSecond);
      EXPECT_TRUE(carry());
    }
    deaths += died ? 1 : 0;
    auto const done = house_.report(id).job;
    ASSERT_EQ(done.status, JobStatus::success) << deaths;
    EXPECT_EQ(images(), "|active|\ncopy|active|\n") << deaths;
    EXPECT_EQ(data_of(done.image), "data");
    EXPECT_EQ(files().size(), 2U) << deaths;
    remove(done.image);
    for (auto const& file : files()) {
      if (std::filesystem::file_size(file) == 20) std::filesystem::remove(file);
    }
  }
  EXPECT_GE(deaths, 3) << "of the claim, the begin and the end";
}

// It sealed all the data of an image that was not there any more, and told of it meanwhile.
TEST_F(CopyImageTest, WhoDeletesAnEncryptedCopyEndsItsJob) {
  auto const data = std::string(8 * Block::kBytes, 'p');
  auto const id = submit(house_.image_with_data(data), house_.owner, granted_key()).value();
  std::int64_t furthest = 0;
  house_.database->after_write = [&] {
    house_.clock.advance(kMicrosecondsPerSecond); // progress is told once a second
    auto const job = house_.report(id).job;
    furthest = std::max(furthest, job.done);
    if (job.image.empty() || job.done < 2 * std::int64_t{Block::kBytes}) return;
    remove(job.image);
    EXPECT_EQ(house_.report(id).job.image, ImageId{});
    EXPECT_EQ(house_.report(id).job.image_name, "copy");
  };
  EXPECT_TRUE(carry());
  house_.database->after_write = {};
  EXPECT_EQ(furthest, 2 * std::int64_t{Block::kBytes});
  auto const failed = house_.report(id).job;
  EXPECT_EQ(failed.status, JobStatus::fail);
  EXPECT_EQ(failed.failure->fault, Fault::image_not_found);
  EXPECT_EQ(failed.failure->detail, "it was deleted while the job ran");
  EXPECT_EQ(images(), "|active|\n");
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(house_.rows("SELECT COUNT(*) FROM uploads", 1), "0|\n");
}

// That of the source was told.
TEST_F(CopyImageTest, AnEncryptedCopyThatIsDeletedFailsForThatThoughItsSourceIsLostToo) {
  auto const id = submit(house_.image_with_data("data"), house_.owner, granted_key()).value();
  house_.database->writes_left = 4; // claim, the row of the image and what it asks, its upload
  EXPECT_TRUE(carry());
  house_.database->writes_left = 1'000'000;
  ASSERT_EQ(images(), "|active|\ncopy|saving|\n");
  remove(house_.report(id).job.image);
  std::filesystem::remove(files().at(0));
  house_.clock.advance(120 * kMicrosecondsPerSecond);
  EXPECT_TRUE(carry());
  EXPECT_EQ(house_.report(id).job.failure->detail, "it was deleted while the job ran");
}

// It was made active again, and its bytes were held once too often.
TEST_F(CopyImageTest, WhatAnAdministratorDoesToTheCopyStaysWhenTheJobGoesOn) {
  auto const id = submit(house_.image(1)).value();
  house_.database->writes_left = 2; // that of the claim, and the image
  EXPECT_TRUE(run());
  house_.database->writes_left = 1'000'000;
  store::sql::Statement const deactivate{
      "test", "UPDATE images SET status = 'deactivated' WHERE name = 'copy'"};
  ASSERT_TRUE(house_.real->write([&](store::Connection& connection) -> Result<> {
    TRY(connection.run(deactivate, {}));
    return {};
  }));
  house_.clock.advance(60 * kMicrosecondsPerSecond);
  EXPECT_TRUE(run());
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_EQ(images(), "|active|\ncopy|deactivated|\n");
}

// The next attempt found the id taken and failed, beside the image.
TEST_F(CopyImageTest, AnAttemptThatDiesOnceTheImageIsMadeHasMadeIt) {
  auto const id = submit(house_.image(1)).value();
  house_.database->writes_left = 2; // that of the claim, and the image
  EXPECT_TRUE(run());
  house_.database->writes_left = 1'000'000;
  EXPECT_EQ(images(), "|active|\ncopy|active|\n");
  house_.clock.advance(60 * kMicrosecondsPerSecond);
  EXPECT_TRUE(run());
  auto const job = house_.report(id).job;
  EXPECT_EQ(job.status, JobStatus::success);
  EXPECT_EQ(house_.rows("SELECT name FROM images WHERE id = '" + job.image.text + "'", 1),
            "copy|\n");
  EXPECT_EQ(images(), "|active|\ncopy|active|\n");
}

// It failed beside the copy.
TEST_F(CopyImageTest, OneThatEndsItsWorkersOnceTheImageIsMadeSucceeds) {
  house_.engine = house_.new_engine({.attempts_max = 3});
  auto const id = submit(house_.image(1)).value();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    house_.database->writes_left = 2; // that of the claim, and the image
    EXPECT_TRUE(run());
    EXPECT_FALSE(house_.report(id).job.ended_at);
    house_.clock.advance(60 * kMicrosecondsPerSecond);
  }
  house_.database->writes_left = 1'000'000;
  EXPECT_TRUE(run());
  auto const job = house_.report(id).job;
  EXPECT_EQ(job.attempt, 4) << "its end is told by who gives it up";
  EXPECT_EQ(job.status, JobStatus::success);
  EXPECT_EQ(house_.rows("SELECT name FROM images WHERE id = '" + job.image.text + "'", 1),
            "copy|\n");
  EXPECT_EQ(images(), "|active|\ncopy|active|\n");
  EXPECT_EQ(house_.rows("SELECT COUNT(*) FROM audit_outbox WHERE targets LIKE '%fault%'", 1),
            "0|\n");
}

} // namespace
} // namespace vitrine::jobs
