#include "formats/test_image.hpp"
#include "jobs/house_test.hpp"
#include "jobs/kinds/import_image.hpp"
#include "jobs/kinds/import_images.hpp"

#include <fmt/format.h>
#include <fstream>
#include <regex>

namespace vitrine::jobs {
namespace {

using formats::testing_images::add_member;
using formats::testing_images::Image;
using model::JobStatus;

constexpr int kNever = 1'000'000;

formats::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// A machine of two disks, of which the second may be none.
std::string ova(std::string_view second) {
  Image image;
  add_member(image, "vm.ovf",
             bytes_of("<Envelope><References><File id='a' href='1'/><File id='b' href='2'/>"
                      "</References><DiskSection><Disk diskId='x' fileRef='a'/>"
                      "<Disk diskId='y' fileRef='b'/></DiskSection></Envelope>"));
  add_member(image, "1", bytes_of("the first disk"));
  add_member(image, "2", bytes_of(second));
  return std::string(formats::characters(image.bytes()));
}

class ImportImagesTest : public testing::Test {
protected:
  ImportImagesTest() { std::filesystem::create_directories(folder()); }

  [[nodiscard]] std::filesystem::path folder() const {
    return house_.path / "buckets" / house_.owner.project.text / "files";
  }
  void put(std::string const& name, std::string_view data) {
    std::ofstream(folder() / name, std::ios::binary) << data;
  }
  service::ImportRequest request(std::string const& object, std::string const& name) {
    service::ImportRequest made{.source = {"files", object}, .formats = {}, .draft = {}};
    made.draft.id = {new_uuid()};
    made.draft.owner = house_.owner.project;
    made.draft.name = name;
    made.draft.container_format = "bare";
    made.draft.min_disk_gib = 1;
    return made;
  }
  ImageId queued_image() {
    auto const image = house_.image(1);
    EXPECT_TRUE(house_.real->write([&](store::Connection& connection) -> Result<> {
      store::Images stored(connection);
      auto const before = TRY(stored.get(image));
      auto after = before;
      after.status = model::ImageStatus::queued;
      return stored.update(before, after);
    }));
    return image;
  }
  service::ImportRequest registering(service::ImportRequest asked) {
    asked.registers = true;
    asked.draft.id = queued_image();
    return asked;
  }
  JobId submit_ova() {
    auto data = request("vm.ova", "");
    data.draft.min_disk_gib = 0;
    auto const order = ova_order(house_.owner, *house_.imports, request("vm.ova", "vm"), data);
    return house_.submitter->submit(house_.owner, order).value();
  }
  JobId submit_files() {
    auto const order =
        images_order(house_.owner, *house_.imports,
                     {{kImportImage, request("1", "vm")}, {kImportData, request("2", "vm-data1")}});
    return house_.submitter->submit(house_.owner, order).value();
  }
  /// The job after an attempt that may make so many writes.
  JobReport died(JobId const& id, int writes) {
    house_.database->writes_left = writes;
    [[maybe_unused]] auto const claimed = house_.engine->run_next(model::JobLane::carrying);
    house_.database->writes_left = kNever;
    return house_.report(id);
  }
  /// The job once it has ended.
  JobReport finished(JobId const& id) {
    for (int attempt = 0; attempt < 3 && !house_.report(id).job.ended_at; ++attempt) {
      EXPECT_TRUE(house_.uploads->keep_alive());
      house_.clock.advance(60 * kMicrosecondsPerSecond);
      EXPECT_TRUE(house_.engine->run_next(model::JobLane::carrying).value());
    }
    return house_.report(id);
  }
  JobReport run(JobId const& id, int writes) {
    died(id, writes);
    return finished(id);
  }
  std::string images() {
    return house_.rows("SELECT name, status, min_disk FROM images ORDER BY name", 3);
  }
  /// What must be gone once no image is there.
  std::string left() {
    EXPECT_TRUE(house_.uploads->keep_alive());
    return house_.rows("SELECT COUNT(*) FROM uploads", 1) +
           house_.rows("SELECT COUNT(*) FROM blobs WHERE refs > 0", 1);
  }
  void remove_images(JobReport const& report) {
    for (auto const& part : report.sub_jobs.value())
      ASSERT_TRUE(house_.image_rules->remove(house_.owner, part.image));
  }
  void dies_at_each_write(std::function<JobId()> const& submit, bool succeeds) {
    for (int writes = 0; writes < 40; ++writes) {
      SCOPED_TRACE(fmt::format("{} writes", writes));
      auto const report = run(submit(), writes);
      ASSERT_EQ(report.job.status, succeeds ? JobStatus::success : JobStatus::fail);
      ASSERT_EQ(report.sub_jobs->size(), 2U);
      for (auto const& part : *report.sub_jobs) {
        ASSERT_EQ(part.status, report.job.status);
        ASSERT_EQ(part.image.empty(), !succeeds);
      }
      ASSERT_EQ(report.job.image, report.sub_jobs->front().image);
      ASSERT_EQ(images(), succeeds ? "vm|active|1|\nvm-data1|active|1|\n" : "");
      if (succeeds) remove_images(report);
      ASSERT_EQ(left(), "0|\n0|\n");
    }
  }

  House house_;
};

TEST_F(ImportImagesTest, an_ova_whose_worker_dies_anywhere_becomes_all_its_images) {
  put("vm.ova", ova("the second disk"));
  dies_at_each_write([this] { return submit_ova(); }, true);
}

TEST_F(ImportImagesTest, an_ova_that_fails_leaves_nothing_wherever_its_worker_dies) {
  auto const refers_elsewhere =
      formats::testing_images::qcow2().be64(8, 0x200).be32(16, 7).text(0x200, "/secret");
  put("vm.ova", ova(formats::characters(refers_elsewhere.bytes())));
  dies_at_each_write([this] { return submit_ova(); }, false);
}

// It deleted the image that its sub job told of, when the file was gone.
TEST_F(ImportImagesTest, what_sub_jobs_have_said_holds_when_the_worker_dies_right_after) {
  put("1", "the first disk");
  put("2", "the second disk");
  JobReport report;
  for (int writes = 1; writes < 40; ++writes) {
    report = died(submit_files(), writes);
    if (report.sub_jobs->front().ended_at) break; // only the end of the job itself is missing
    remove_images(finished(report.job.id));
  }
  ASSERT_FALSE(report.job.ended_at);
  std::filesystem::remove(folder() / "2");
  house_.clock.advance(60 * kMicrosecondsPerSecond);
  EXPECT_TRUE(house_.engine->run_next(model::JobLane::carrying).value());
  EXPECT_EQ(house_.report(report.job.id).job.status, JobStatus::success);
  EXPECT_EQ(
      house_.rows("SELECT COUNT(*) FROM images WHERE status = 'active' AND name = 'vm-data1'", 1),
      "1|\n");
}

TEST_F(ImportImagesTest, files_whose_worker_dies_anywhere_become_all_images) {
  put("1", "the first disk");
  put("2", "the second disk");
  dies_at_each_write([this] { return submit_files(); }, true);
}

TEST_F(ImportImagesTest, of_files_that_fail_nothing_is_left_wherever_the_worker_dies) {
  put("1", "the first disk");
  dies_at_each_write([this] { return submit_files(); }, false);
}

TEST_F(ImportImagesTest, what_was_done_to_a_whole_image_stays_when_another_attempt_follows) {
  put("1", "the first disk");
  put("2", "the second disk");
  auto const id = submit_files();
  // Claim, progress, the first image (its row, its data, its end), the row of the second; no more.
  house_.database->writes_left = 6;
  EXPECT_TRUE(house_.engine->run_next(model::JobLane::carrying).value());
  house_.database->writes_left = kNever;
  ASSERT_EQ(images().substr(0, 10), "vm|active|");
  auto const first = house_.report(id).sub_jobs->front().image;
  auto admin = house_.owner;
  admin.is_admin = true;
  admin.roles.emplace_back("admin");
  ASSERT_TRUE(house_.image_rules->deactivate(admin, first));
  EXPECT_EQ(run(id, kNever).job.status, JobStatus::success);
  EXPECT_EQ(images(), "vm|deactivated|1|\nvm-data1|active|1|\n");
}

constexpr std::int64_t kBlock = Block::kBytes;

class ImportsWhoseImageIsDeleted : public ImportImagesTest {
protected:
  JobId submit(std::string_view kind, service::ImportRequest const& asked) {
    auto const order = import_order(kind, house_.owner, *house_.imports, asked);
    return house_.submitter->submit(house_.owner, order).value();
  }
  void remove(ImageId const& id) { ASSERT_TRUE(house_.image_rules->remove(house_.owner, id)); }
  /// Runs the job; `look` is called with it after each of its writes, until it returns true.
  /// Returns the most that the job told to have done.
  std::int64_t run_looking(JobId const& id, std::function<bool(JobReport const&)> const& look) {
    std::int64_t furthest = 0;
    bool looks = true; // not at what it does itself
    bool seen = false;
    house_.database->after_write = [&, id] {
      if (!std::exchange(looks, false)) return;
      house_.clock.advance(kMicrosecondsPerSecond); // progress is told once a second
      auto const report = house_.report(id);
      furthest = std::max(furthest, report.job.done);
      seen = seen || look(report);
      looks = true;
    };
    EXPECT_TRUE(house_.engine->run_next(model::JobLane::carrying).value());
    house_.database->after_write = {};
    EXPECT_TRUE(seen);
    return furthest;
  }
  static void expect_deleted(model::Job const& job) {
    EXPECT_EQ(job.status, JobStatus::fail);
    ASSERT_TRUE(job.failure);
    EXPECT_EQ(job.failure->fault, Fault::image_not_found);
    EXPECT_EQ(job.failure->detail, "it was deleted while the job ran");
  }
};

// It read the file to its end, and told of the image meanwhile.
TEST_F(ImportsWhoseImageIsDeleted, an_import_ends_and_leaves_nothing) {
  put("1", std::string(8 * kBlock, 'd'));
  auto const id = submit(kImportImage, request("1", "web"));
  auto const furthest = run_looking(id, [&](JobReport const& report) {
    if (report.job.done < 2 * kBlock) return false;
    remove(report.job.image);
    EXPECT_EQ(house_.report(id).job.image, ImageId{});
    EXPECT_EQ(house_.report(id).job.image_name, "web");
    return true;
  });
  EXPECT_EQ(furthest, 2 * kBlock);
  expect_deleted(house_.report(id).job);
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

TEST_F(ImportsWhoseImageIsDeleted, a_register_ends_and_names_it_still) {
  put("1", std::string(8 * kBlock, 'd'));
  auto const asked = registering(request("1", ""));
  auto const& image = asked.draft.id;
  auto const id = submit(kRegisterImage, asked);
  auto const furthest = run_looking(id, [&](JobReport const& report) {
    if (report.job.done < 2 * kBlock) return false;
    remove(image);
    EXPECT_EQ(house_.report(id).job.image, image);
    return true;
  });
  EXPECT_EQ(furthest, 2 * kBlock);
  expect_deleted(house_.report(id).job);
  EXPECT_EQ(house_.report(id).job.image, image);
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

// It told of the file alone.
TEST_F(ImportsWhoseImageIsDeleted, an_import_fails_for_that_though_its_file_is_gone_too) {
  for (std::string_view const kind : {kImportImage, kRegisterImage}) {
    put("1", "a disk");
    bool const registers = kind == kRegisterImage;
    auto const asked = request("1", "web");
    auto const id = submit(kind, registers ? registering(asked) : asked);
    died(id, 3); // claim, the row of the image, its upload
    ASSERT_FALSE(house_.report(id).job.image.empty());
    remove(house_.report(id).job.image);
    std::filesystem::remove(folder() / "1");
    expect_deleted(finished(id).job);
    EXPECT_EQ(images() + left(), "0|\n0|\n") << kind;
  }
}

TEST_F(ImportsWhoseImageIsDeleted, the_sub_job_of_a_part_fails_and_the_others_go_with_it) {
  for (std::size_t const deleted : {0U, 1U}) {
    put("1", "the first disk");
    put("2", std::string(8 * kBlock, 'd'));
    auto const id = submit_files();
    auto const furthest = run_looking(id, [&](JobReport const& report) {
      // The first is whole, of the second a quarter is there.
      if (report.job.done < 1250) return false;
      remove(report.sub_jobs->at(deleted).image);
      auto const now = house_.report(id);
      EXPECT_EQ(now.sub_jobs->at(deleted).image, ImageId{});
      EXPECT_NE(now.sub_jobs->at(1 - deleted).image, ImageId{});
      EXPECT_EQ(now.job.image, now.sub_jobs->at(0).image);
      return true;
    });
    EXPECT_EQ(furthest, 1250);
    auto const report = house_.report(id);
    auto const& parts = report.sub_jobs.value();
    expect_deleted(parts.at(deleted));
    auto const whole =
        fmt::format("image {}: it was deleted while the job ran", deleted == 0 ? "vm" : "vm-data1");
    for (auto const& job : {report.job, parts.at(1 - deleted)}) {
      EXPECT_EQ(job.status, JobStatus::fail);
      EXPECT_EQ(job.failure->fault, Fault::image_not_found);
      EXPECT_EQ(job.failure->detail, whole);
    }
    EXPECT_EQ(images() + left(), "0|\n0|\n") << deleted;
  }
}

TEST_F(ImportsWhoseImageIsDeleted, a_part_says_so_though_its_file_is_gone_too) {
  put("1", "the first disk");
  put("2", "the second disk");
  auto const id = submit_files();
  // Claim, progress, the first image (its row, its upload, its data, its end), the row of the
  // second and its upload.
  auto const parts = died(id, 8).sub_jobs.value();
  ASSERT_EQ(images(), "vm|active|1|\nvm-data1|saving|1|\n");
  remove(parts.at(1).image);
  std::filesystem::remove(folder() / "2");
  auto const report = finished(id);
  expect_deleted(report.sub_jobs->at(1));
  EXPECT_EQ(report.job.failure->detail, "image vm-data1: it was deleted while the job ran");
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

TEST(ImportArguments, the_hash_and_the_formats_are_read_as_they_were_written) {
  for (std::string const& hash : {std::string(), std::string(64, 'a')}) {
    for (auto const& formats :
         {std::vector<std::string>(), std::vector<std::string>{"raw", "zvhd2"}}) {
      service::ImportRequest request{.source = {"files", "1"}, .formats = formats, .draft = {}};
      request.expected_sha256 = hash;
      auto const read = import_from_json(to_json(request)).value();
      EXPECT_EQ(read.expected_sha256, hash);
      EXPECT_EQ(read.formats, formats);
    }
  }
}

// Servers of two releases share the jobs of a database while one takes the place of the other.
class ImportsOfServersWithoutHashes : public ImportImagesTest {
protected:
  ImportsOfServersWithoutHashes() {
    put("1", "the first disk");
    put("2", "the second disk");
    put("vm.ova", ova("the second disk"));
  }
  service::ImportRequest expecting(std::string const& object, std::string const& name) {
    auto made = request(object, name);
    made.expected_sha256 = std::string(64, 'a');
    return made;
  }
  /// Such a server leaves unread what it does not know.
  static std::string without_hashes(std::string const& arguments) {
    static std::regex const unknown("\"(expected_sha256|hashed_formats)");
    return std::regex_replace(arguments, unknown, "\"unread_$1");
  }
  void fails(Order order) {
    order.arguments_json = without_hashes(order.arguments_json);
    for (auto& part : order.sub_jobs)
      part.arguments_json = without_hashes(part.arguments_json);
    auto const id = house_.submitter->submit(house_.owner, order).value();
    auto const job = run(id, kNever).job;
    EXPECT_EQ(job.status, JobStatus::fail);
    ASSERT_TRUE(job.failure);
    EXPECT_EQ(job.failure->fault, Fault::format_mismatch);
    EXPECT_NE(job.failure->detail.find("only what a newer server compares"), std::string::npos)
        << job.failure->detail;
  }
};

TEST_F(ImportsOfServersWithoutHashes, no_image_is_made) {
  fails(import_order(kImportImage, house_.owner, *house_.imports, expecting("1", "web")));
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

TEST_F(ImportsOfServersWithoutHashes, none_is_made_of_several_when_one_has_a_hash) {
  fails(images_order(
      house_.owner, *house_.imports,
      {{kImportImage, request("1", "vm")}, {kImportData, expecting("2", "vm-data1")}}));
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

TEST_F(ImportsOfServersWithoutHashes, none_is_made_of_an_ova) {
  auto data = request("vm.ova", "");
  data.draft.min_disk_gib = 0;
  fails(ova_order(house_.owner, *house_.imports, expecting("vm.ova", "vm"), data));
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

TEST_F(ImportsOfServersWithoutHashes, a_registered_image_waits_again) {
  auto const asked = registering(expecting("1", ""));
  fails(import_order(kRegisterImage, house_.owner, *house_.imports, asked));
  EXPECT_EQ(house_.rows("SELECT status FROM images", 1) + left(), "queued|\n0|\n0|\n");
}

class ImportsThatEndTheirWorker : public ImportImagesTest {
protected:
  ImportsThatEndTheirWorker() {
    house_.engine = house_.new_engine({.attempts_max = 3});
    put("1", "the first disk");
    put("2", "the second disk");
  }
  /// The job after so many attempts that may make so many writes each.
  JobReport died(JobId const& id, int writes, int times) {
    for (int i = 0; i < times; ++i) {
      ImportImagesTest::died(id, writes);
      EXPECT_FALSE(house_.report(id).job.ended_at);
      EXPECT_TRUE(house_.uploads->keep_alive());
      house_.clock.advance(60 * kMicrosecondsPerSecond);
    }
    return house_.report(id);
  }
  /// Attempts that die as soon as the images are there.
  void make_all(JobId const& id) {
    for (int writes = 4; images() != "vm|active|1|\nvm-data1|active|1|\n"; ++writes) {
      ASSERT_LT(writes, 40);
      died(id, writes, 1);
    }
  }
};

TEST_F(ImportsThatEndTheirWorker, one_image_goes) {
  auto const order = import_order(kImportImage, house_.owner, *house_.imports, request("1", "web"));
  auto const id = house_.submitter->submit(house_.owner, order).value();
  // Claim, and the row of the image.
  EXPECT_EQ(died(id, 2, 3).job.attempt, 3);
  EXPECT_EQ(images(), "web|saving|1|\n");
  auto const job = finished(id).job;
  EXPECT_EQ(job.status, JobStatus::fail);
  EXPECT_EQ(job.failure->fault, Fault::internal);
  EXPECT_EQ(job.failure->detail, "given up after 3 attempts");
  EXPECT_EQ(job.image.text + job.image_name, "");
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

TEST_F(ImportsThatEndTheirWorker, all_images_of_a_request_go_and_its_sub_jobs_end) {
  auto const id = submit_files();
  // Claim, progress, the first image (its row, its upload, its data, its end), the row of the
  // second.
  EXPECT_EQ(died(id, 7, 1).job.attempt, 0);
  EXPECT_EQ(died(id, 3, 3).job.attempt, 3);
  EXPECT_EQ(images(), "vm|active|1|\nvm-data1|saving|1|\n");
  auto const report = finished(id);
  EXPECT_EQ(report.job.status, JobStatus::fail);
  for (auto const& part : report.sub_jobs.value()) {
    EXPECT_EQ(part.status, JobStatus::fail);
    EXPECT_EQ(part.failure->detail, "given up after 3 attempts");
  }
  EXPECT_EQ(images() + left(), "0|\n0|\n");
}

// They failed beside the active image, of which they told nothing any more.
TEST_F(ImportsThatEndTheirWorker, one_image_that_is_whole_stays) {
  auto const order = import_order(kImportImage, house_.owner, *house_.imports, request("1", "web"));
  auto const id = house_.submitter->submit(house_.owner, order).value();
  // Claim, the row of the image, progress, its upload, its data.
  died(id, 5, 1);
  ASSERT_EQ(images(), "web|active|1|\n");
  EXPECT_EQ(died(id, 1, 2).job.attempt, 3);
  auto const job = finished(id).job;
  EXPECT_EQ(job.attempt, 4) << "its end is told by who gives it up";
  EXPECT_EQ(job.status, JobStatus::success);
  EXPECT_EQ(house_.rows("SELECT name FROM images WHERE id = '" + job.image.text + "'", 1),
            "web|\n");
  EXPECT_EQ(house_.rows("SELECT COUNT(*) FROM audit_outbox WHERE targets LIKE '%fault%'", 1),
            "0|\n");
}

TEST_F(ImportsThatEndTheirWorker, images_that_are_all_whole_stay) {
  auto const id = submit_files();
  make_all(id);
  EXPECT_EQ(died(id, 1, 3).job.attempt, 3);
  auto const report = finished(id);
  EXPECT_EQ(report.job.attempt, 4);
  EXPECT_EQ(report.job.status, JobStatus::success);
  EXPECT_EQ(report.job.image, report.sub_jobs->front().image);
  for (auto const& part : report.sub_jobs.value())
    EXPECT_EQ(part.status, JobStatus::success);
  EXPECT_EQ(images(), "vm|active|1|\nvm-data1|active|1|\n");
}

TEST_F(ImportsThatEndTheirWorker, images_whose_sub_jobs_were_told_stay) {
  auto const id = submit_files();
  make_all(id);
  // Claim, progress, the end of the sub jobs.
  EXPECT_TRUE(died(id, 3, 1).sub_jobs->front().ended_at);
  while (house_.report(id).job.attempt < 3)
    died(id, 1, 1);
  auto const report = finished(id);
  EXPECT_EQ(report.job.attempt, 4);
  EXPECT_EQ(report.job.status, JobStatus::success);
  EXPECT_EQ(report.job.image, report.sub_jobs->front().image);
  EXPECT_EQ(images(), "vm|active|1|\nvm-data1|active|1|\n");
}

TEST_F(ImportsThatEndTheirWorker, an_image_made_whole_is_progress) {
  auto const id = submit_files();
  died(id, 3, 2);
  EXPECT_EQ(died(id, 6, 1).job.attempt, 0) << "its third attempt made one";
  EXPECT_EQ(died(id, 3, 2).job.attempt, 2);
  EXPECT_EQ(finished(id).job.status, JobStatus::success);
  EXPECT_EQ(images(), "vm|active|1|\nvm-data1|active|1|\n");
}

} // namespace
} // namespace vitrine::jobs
