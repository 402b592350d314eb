#include "jobs/house_test.hpp"
#include "jobs/kinds/export_image.hpp"

#include <fstream>
#include <utility>

namespace vitrine::jobs {
namespace {

using model::JobStatus;

class MarkedObject final : public store::BucketObject {
public:
  MarkedObject(std::unique_ptr<store::BucketObject> object, std::string mark)
      : object_(std::move(object)), info_(object_->info()) {
    info_.mark = std::move(mark);
  }
  [[nodiscard]] store::ObjectInfo const& info() const noexcept override { return info_; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return info_.size_bytes; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override {
    return object_->read_bytes_best();
  }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    return object_->read(offset, into);
  }
  Result<> stream(std::uint64_t offset, std::uint64_t count, Room const& room,
                  Take const& take) override {
    return object_->stream(offset, count, room, take);
  }

private:
  std::unique_ptr<store::BucketObject> object_;
  store::ObjectInfo info_;
};

/// Hangs before its end: `meanwhile` is what happens then.
class HangingWriter final : public BytesWriter {
public:
  HangingWriter(std::unique_ptr<BytesWriter> writer, std::function<void()> meanwhile)
      : writer_(std::move(writer)), meanwhile_(std::move(meanwhile)) {}
  Result<> write(std::span<std::byte const> bytes) override { return writer_->write(bytes); }
  Result<> commit() override {
    if (meanwhile_) meanwhile_();
    return writer_->commit();
  }

private:
  std::unique_ptr<BytesWriter> writer_;
  std::function<void()> meanwhile_;
};

/// Keeps the mark of the last object and tells of nothing unfinished, as an object store does of
/// what is put there at once.
class MarkedBuckets final : public store::Buckets {
public:
  explicit MarkedBuckets(store::Buckets& real) : real_(real) {}
  std::string mark;
  std::function<void()> meanwhile; ///< of the next writer

  Result<std::unique_ptr<store::BucketObject>> open(store::BucketUser const& user,
                                                    model::ObjectUrl const& url) override {
    auto object = TRY(real_.open(user, url));
    return std::make_unique<MarkedObject>(std::move(object), mark);
  }
  Result<std::unique_ptr<BytesWriter>> create(store::BucketUser const& user,
                                              model::ObjectUrl const& url,
                                              store::NewObject object) override {
    auto given = object.mark;
    auto writer = TRY(real_.create(user, url, std::move(object)));
    mark = std::move(given);
    return std::make_unique<HangingWriter>(std::move(writer), std::exchange(meanwhile, {}));
  }
  Result<> remove_unfinished(store::BucketUser const& /*user*/, model::ObjectUrl const& /*url*/,
                             Time /*since*/) override {
    return {};
  }

private:
  store::Buckets& real_;
};

/// Of a unit of work that another one has overtaken.
class OvertakenConnection final : public store::Connection {
public:
  using Connection::run;
  int asked{0};

  Result<std::int64_t> run(store::sql::Statement const& /*statement*/,
                           std::span<store::Param const> /*params*/,
                           Each const& /*each*/) override {
    ++asked;
    return error(Fault::unavailable, "overtaken");
  }
  [[nodiscard]] store::Dialect const& dialect() const noexcept override { CHECK(false); }
};

class ExportImageTest : public testing::Test {
protected:
  ExportImageTest() {
    std::filesystem::create_directories(object_.parent_path());
    auto marked = std::make_unique<MarkedBuckets>(*house_.buckets);
    marked_ = marked.get();
    real_ = std::exchange(house_.buckets, std::move(marked));
    house_.engine = house_.new_engine();
  }
  ~ExportImageTest() override { house_.engine.reset(); }

  JobId submitted() {
    service::ExportRequest const out{.image = image_, .target = {"bucket", "disk"}, .format = ""};
    return house_.submitter->submit(house_.owner, export_order(house_.owner, *house_.exports, out))
        .value();
  }
  /// A job that has put its object there and was killed before it could tell.
  JobId killed_at_the_end() {
    auto const id = submitted();
    house_.database->writes_left = 3; // those of the claim, and of two thirds of the work
    run();
    house_.database->writes_left = 1'000'000;
    house_.clock.advance(120 * kMicrosecondsPerSecond);
    return id;
  }
  void run() { EXPECT_TRUE(house_.engine->run_next(model::JobLane::carrying).value()); }

  House house_;
  std::unique_ptr<store::Buckets> real_;
  MarkedBuckets* marked_{nullptr};
  ImageId const image_{house_.image_with_data("data")};
  std::filesystem::path const object_{house_.path / "buckets/owner/bucket/disk"};
};

TEST_F(ExportImageTest, ItKnowsTheObjectOfAnAttemptThatWasKilled) {
  auto const id = killed_at_the_end();
  ASSERT_EQ(std::filesystem::file_size(object_), 4U);
  EXPECT_EQ(marked_->mark, "job-" + id.text);
  EXPECT_EQ(house_.report(id).job.status, JobStatus::running);
  run();
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

// It was told that its disk was there when another one of that size was.
TEST_F(ExportImageTest, AnObjectOfTheSameSizeIsNotItsOwn) {
  auto const id = killed_at_the_end();
  std::ofstream(object_) << "dota";
  marked_->mark = "job-another";
  run();
  auto const failed = house_.report(id).job;
  EXPECT_EQ(failed.status, JobStatus::fail);
  EXPECT_EQ(failed.failure->fault, Fault::object_exists);
}

// It ended as if the data were lost.
TEST_F(ExportImageTest, ItWaitsForAVolumeThatIsNotMounted) {
  auto const id = submitted();
  auto const blobs = house_.path / "blobs";
  std::filesystem::rename(blobs, house_.path / "volume");
  std::filesystem::create_directory(blobs);
  run();
  EXPECT_EQ(house_.report(id).job.status, JobStatus::running);
  EXPECT_TRUE(std::filesystem::is_empty(blobs));
  std::filesystem::remove(blobs);
  std::filesystem::rename(house_.path / "volume", blobs);
  house_.clock.advance(120 * kMicrosecondsPerSecond);
  run();
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
  EXPECT_EQ(std::filesystem::file_size(object_), 4U);
}

// It put the object there once more.
TEST_F(ExportImageTest, AWorkerThatHungLeavesRemovedWhatAnotherOneMade) {
  auto const id = submitted();
  auto const other = house_.new_engine();
  marked_->meanwhile = [&] {
    house_.clock.advance(120 * kMicrosecondsPerSecond);
    EXPECT_TRUE(other->run_next(model::JobLane::carrying).value());
    EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
    EXPECT_TRUE(std::filesystem::remove(object_)) << "by its owner";
  };
  run();
  EXPECT_FALSE(std::filesystem::exists(object_));
  EXPECT_TRUE(std::filesystem::is_empty(object_.parent_path()));
  EXPECT_EQ(house_.report(id).job.status, JobStatus::success);
}

} // namespace

// It went on in the unit that had failed, which was no failure to begin anew for: a job ended as
// one of an unknown error while its object was there, and the trail did not tell of its end.
TEST_F(ExportImageTest, WhatIsOvertakenWhileItIsToldIsNoEnd) {
  OvertakenConnection connection;
  service::Batch const batch{house_.owner, {"job"}, kTestStart};
  auto const told =
      house_.exports->tell(connection, batch, {.image = image_, .target = {}, .format = ""}, {});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().detail, "overtaken");
  EXPECT_EQ(connection.asked, 1);
}

} // namespace vitrine::jobs
