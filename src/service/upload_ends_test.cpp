#include "service/image_data_test.hpp"

namespace vitrine::service {
namespace {

using model::ImageStatus;

// A database whose answer is lost, or that refuses, where a test tells it to.
class LossyDatabase final : public store::Database {
public:
  explicit LossyDatabase(store::Database& database) : database_(database) {}

  bool loses_next_write{false};
  bool refuses_next_write{false};
  bool refuses_next_read{false};

protected:
  Result<> do_read(Work const& work) override {
    if (std::exchange(refuses_next_read, false)) return error(Fault::unavailable);
    return database_.read(work);
  }
  Result<> do_write(Work const& work) override {
    if (std::exchange(refuses_next_write, false)) return error(Fault::unavailable);
    auto done = database_.write(work);
    if (std::exchange(loses_next_write, false)) return error(Fault::outcome_unknown);
    return done;
  }

private:
  store::Database& database_;
};

class UploadEndsTest : public ImageDataTest {
protected:
  /// As the thread of a server does it, so many times.
  void keep_alive(Uploads& uploads, int times) {
    for (int i = 0; i < times; ++i) {
      clock_.advance(Uploads::kTouchSeconds * kMicrosecondsPerSecond);
      ASSERT_TRUE(uploads.keep_alive());
    }
  }
};

} // namespace

// The bytes were removed, those of an active image.
TEST_F(UploadEndsTest, bytes_stay_when_nobody_knows_whether_they_were_taken) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_, {.size_bytes_max = kTestSizeMax});
  auto const id = make();
  {
    auto const upload = uploads.begin(owner_, id, {}).value();
    ASSERT_TRUE(write(*upload, "abc"));
    blobs_->before_commit = [&] { lossy.loses_next_write = true; };
    EXPECT_EQ(upload->finish().error().fault, Fault::outcome_unknown);
  }
  EXPECT_EQ(get(id).status, ImageStatus::active);
  EXPECT_TRUE(downloads_->open(owner_, id));
  EXPECT_EQ(uploads.remove_strays(*blobs_, 0).value(), 0);
  EXPECT_EQ(files(), 1U);
}

TEST_F(UploadEndsTest, bytes_that_the_store_may_have_kept_stay_known) {
  auto const id = make();
  blobs_->at = FaultyBlobs::At::commit;
  EXPECT_EQ(put(id, "abc").error().fault, Fault::unavailable);
  EXPECT_EQ(unused_blobs(), 1U);
  blobs_->at = FaultyBlobs::At::never;
  blobs_->before_commit = [&] { // and the image goes away
    blobs_->stuck.insert(BlobId{get(id).upload_id});
    ASSERT_TRUE(database_->write([&](store::Connection& c) {
      store::Images images(c);
      auto const before = images.get(id).value();
      auto after = before;
      after.upload_id = "another";
      return images.update(before, after);
    }));
  };
  EXPECT_EQ(put(id, "abcd").error().fault, Fault::image_gone);
  EXPECT_EQ(unused_blobs(), 2U) << "what was permanent already";
  EXPECT_EQ(files(), 1U);
}

TEST_F(UploadEndsTest, nothing_stays_known_of_an_upload_that_ended_early) {
  {
    auto const upload = uploads_->begin(owner_, make(), {}).value();
    ASSERT_TRUE(write(*upload, "abc"));
  }
  EXPECT_EQ(unused_blobs(), 0U);
  EXPECT_EQ(files(), 0U);
}

// Its server kept it alive for ever, so the image waited for bytes that nobody sent.
TEST_F(UploadEndsTest, an_upload_whose_begin_nobody_answered_for_ends_beside_others) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_,
                  {.size_bytes_max = kTestSizeMax, .server = "s"});
  auto const other = make();
  auto const beside = uploads.begin(owner_, other, {}).value();
  auto const id = make();
  lossy.loses_next_write = true;
  EXPECT_EQ(uploads.begin(owner_, id, {}).error().fault, Fault::outcome_unknown);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  lossy.loses_next_write = true;
  EXPECT_FALSE(uploads.keep_alive());
  EXPECT_TRUE(uploads.keep_alive());
  EXPECT_EQ(get(id).status, ImageStatus::queued);
  EXPECT_EQ(get(other).status, ImageStatus::saving);
}

// The server kept every row of its own, also of an upload that it had forgotten.
TEST_F(UploadEndsTest, an_upload_whose_begin_was_committed_after_its_end_was_told_ends) {
  Uploads uploads(*database_, *blobs_, *access_, clock_,
                  {.size_bytes_max = kTestSizeMax, .server = "s"});
  auto const other = make();
  auto const beside = uploads.begin(owner_, other, {}).value();
  auto const id = make();
  BlobId const forgotten{new_hex_id()};
  change(id, [&](auto& image) {
    image.status = ImageStatus::saving;
    image.upload_id = forgotten.text;
  });
  ASSERT_TRUE(database_->write([&](store::Connection& c) {
    return store::RunningUploads(c).add(forgotten, "s", clock_.now());
  }));
  keep_alive(uploads, UploadWatch::kLooksMax + 1);
  EXPECT_EQ(get(id).status, ImageStatus::queued);
  EXPECT_EQ(get(other).status, ImageStatus::saving);
  EXPECT_EQ(running_uploads(), 1U);
}

// The first server that came back ended the uploads of all others.
TEST_F(UploadEndsTest, an_outage_of_the_database_ends_no_upload_of_another_server) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_,
                  {.size_bytes_max = kTestSizeMax, .server = "s"});
  auto const other = make_uploads("other");
  auto const id = make();
  auto const running = other->begin(owner_, id, {}).value();
  keep_alive(uploads, UploadWatch::kLooksMax);
  lossy.refuses_next_read = true;
  EXPECT_FALSE(uploads.keep_alive());
  clock_.advance(3600 * kMicrosecondsPerSecond);
  keep_alive(uploads, UploadWatch::kLooksMax);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  keep_alive(*other, 1);
  keep_alive(uploads, UploadWatch::kLooksMax);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
}

TEST_F(UploadEndsTest, an_end_that_the_database_did_not_hear_is_told_again) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_,
                  {.size_bytes_max = kTestSizeMax, .server = "s"});
  auto const beside = uploads.begin(owner_, make(), {}).value();
  auto const id = make();
  auto const upload = uploads.begin(owner_, id, {}).value();
  lossy.refuses_next_write = true;
  upload->abandon(error(Fault::invalid_body, "the client left"));
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  EXPECT_TRUE(uploads.keep_alive());
  EXPECT_EQ(get(id).status, ImageStatus::queued);
}

TEST_F(UploadEndsTest, a_failing_store_leaves_the_image_queued) {
  auto const id = make();
  blobs_->at = FaultyBlobs::At::create;
  EXPECT_EQ(begin_fault(owner_, id), Fault::unavailable);
  expect_queued(id, "create failed");

  blobs_->at = FaultyBlobs::At::write;
  auto const full = put(id, "abc");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().fault, Fault::store_full);
  expect_queued(id, "no space left");

  blobs_->at = FaultyBlobs::At::commit;
  auto const lost = put(id, "abc");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().fault, Fault::unavailable);
  expect_queued(id, "commit failed");
}

TEST_F(UploadEndsTest, recovers_what_the_end_of_the_process_cut) {
  auto const kept = make();
  ASSERT_TRUE(put(kept, "kept"));
  auto const cut = make();
  auto const deleted = make();
  BlobId const half{new_hex_id()};
  BlobId const whole{new_hex_id()};
  change(cut, [&](auto& image) {
    image.status = ImageStatus::saving;
    image.upload_id = half.text;
  });
  auto const writer = disk_->create(half, {}).value();
  ASSERT_TRUE(writer->write(bytes_of("half")));
  auto const unnamed = disk_->create(whole, {}).value();
  ASSERT_TRUE(unnamed->commit()); // ended between the commit of the bytes and of the row
  EXPECT_EQ(files(), 3U);

  ASSERT_TRUE(uploads_->recover());
  EXPECT_EQ(files(), 3U);
  EXPECT_EQ(uploads_->remove_strays(*blobs_, 3600).value(), 0) << "too young";
  EXPECT_EQ(uploads_->remove_strays(*blobs_, 0).value(), 2);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(get(cut).status, ImageStatus::queued);
  EXPECT_EQ(get(cut).upload_error, "The server stopped during the upload.");
  expect_failure_told(cut, "observer", Fault::unavailable, "The server stopped during the upload.");
  EXPECT_EQ(get(cut).upload_id, "");
  EXPECT_EQ(get(kept).status, ImageStatus::active);
  auto const download = downloads_->open(owner_, kept);
  ASSERT_TRUE(download && *download);
  ASSERT_TRUE(put(cut, "again"));
}

TEST_F(UploadEndsTest, the_uploads_of_another_server_go_on) {
  auto const other = make_uploads("other");
  auto const id = make();
  auto running = other->begin(owner_, id, {}).value();
  ASSERT_TRUE(write(*running, "abc"));
  ASSERT_TRUE(uploads_->recover());
  EXPECT_EQ(uploads_->remove_strays(*blobs_, 0).value(), 0);
  keep_alive(*uploads_, UploadWatch::kLooksMax);
  keep_alive(*other, 1);
  keep_alive(*uploads_, UploadWatch::kLooksMax);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  ASSERT_TRUE(running->finish());
  EXPECT_EQ(get(id).checksum, kMd5OfAbc);
  running.reset();
  EXPECT_EQ(running_uploads(), 0U);
}

TEST_F(UploadEndsTest, the_uploads_of_a_server_that_fell_silent_end) {
  auto const other = make_uploads("other");
  auto const id = make();
  auto lost = other->begin(owner_, id, {}).value();
  ASSERT_TRUE(write(*lost, "abc"));
  keep_alive(*uploads_, UploadWatch::kLooksMax);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  keep_alive(*uploads_, 1);
  EXPECT_EQ(get(id).status, ImageStatus::queued);
  EXPECT_EQ(get(id).upload_error, "The server stopped during the upload.");
  EXPECT_EQ(uploads_->remove_strays(*blobs_, 0).value(), 1);
  ASSERT_TRUE(put(id, "again"));
  EXPECT_EQ(lost->finish().error().fault, Fault::image_gone) << "it woke up too late";
  lost.reset();
  EXPECT_EQ(get(id).status, ImageStatus::active);
  EXPECT_EQ(uploads_->remove_strays(*blobs_, 0).value(), 0);
}

// What a job asks of others before its data comes may take longer than that.
TEST_F(UploadEndsTest, an_upload_that_was_taken_for_dead_before_it_began_goes_on) {
  auto const id = make();
  auto image = get(id);
  ASSERT_TRUE(database_->write([&](store::Connection& c) -> Result<> {
    auto const before = image;
    TRY(uploads_->announce(c, image));
    TRY(store::Images(c).update(before, image));
    TRY(store::RunningUploads(c).remove({image.upload_id}));
    return {};
  }));
  auto const data = [] {
    return JobData{.job = {"j"},
                   .kind = model::audit::image_create,
                   .adapt = [](auto const&, auto&) -> Result<> { return {}; }};
  };
  auto const upload = uploads_->begin_announced(owner_, image, 3, data()).value();
  ASSERT_TRUE(write(*upload, "abc"));
  EXPECT_TRUE(upload->finish());
  EXPECT_EQ(get(id).status, ImageStatus::active);
  auto another = image;
  another.upload_id = "another";
  EXPECT_EQ(uploads_->begin_announced(owner_, another, 3, data()).error().fault, Fault::image_gone);
}

// The sweeper may have removed its bytes: the image was active without them.
TEST_F(UploadEndsTest, an_upload_of_a_job_that_was_taken_for_dead_makes_no_image_active) {
  auto const id = make();
  auto image = get(id);
  ASSERT_TRUE(database_->write([&](store::Connection& c) -> Result<> {
    auto const before = image;
    TRY(uploads_->announce(c, image));
    return store::Images(c).update(before, image);
  }));
  auto const upload =
      uploads_
          ->begin_announced(owner_, image, 3,
                            {.job = {"j"},
                             .kind = model::audit::image_create,
                             .adapt = [](auto const&, auto&) -> Result<> { return {}; }})
          .value();
  ASSERT_TRUE(write(*upload, "abc"));
  ASSERT_TRUE(database_->write([&](store::Connection& c) -> Result<> {
    TRY(store::RunningUploads(c).remove({image.upload_id}));
    return {};
  }));
  EXPECT_EQ(upload->finish().error().fault, Fault::unavailable);
  EXPECT_EQ(get(id).status, ImageStatus::saving) << "what becomes of it is the job's to say";
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadEndsTest, an_upload_whose_image_is_deleted_keeps_its_bytes_until_it_ends) {
  auto const id = make();
  auto upload = begin(id);
  ASSERT_TRUE(write(*upload, "abc"));
  remove(id);
  EXPECT_EQ(uploads_->remove_strays(*blobs_, 0).value(), 0);
  EXPECT_EQ(upload->finish().error().fault, Fault::image_gone);
  EXPECT_EQ(running_uploads(), 0U);
  EXPECT_EQ(files(), 0U);
}

} // namespace vitrine::service
