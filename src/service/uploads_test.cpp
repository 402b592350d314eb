#include "service/downloads.hpp"
#include "service/uploads.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/running_uploads.hpp"

#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vitrine::service {
namespace {

namespace fs = std::filesystem;
using model::ImageStatus;

constexpr Time kStart{1'700'000'000'000'000};
constexpr std::int64_t kCap = 1 << 20;
constexpr std::string_view kMd5OfAbc = "900150983cd24fb0d6963f7d28e17f72";

std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// A store that fails where a test tells it to.
class FaultyBlobs final : public store::Blobs {
public:
  enum class At : std::uint8_t { never, create, write, commit };

  explicit FaultyBlobs(store::Blobs& blobs) : blobs_(blobs) {}

  Result<std::unique_ptr<store::BlobWriter>>
  create(BlobId const& id, std::optional<std::uint64_t> size_bytes) override {
    if (at == At::create) return error(Fault::unavailable, "create failed");
    return std::make_unique<Writer>(*this, TRY(blobs_.create(id, size_bytes)));
  }
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override {
    if (before_open) before_open();
    return blobs_.open(id);
  }
  Result<> remove(BlobId const& id) override { return blobs_.remove(id); }
  Result<> list(std::function<void(store::StoredBlob const&)> const& each) override {
    return blobs_.list(each);
  }
  Result<> look() override { return blobs_.look(); }

  At at{At::never};
  std::function<void()> before_commit;
  std::function<void()> before_open;
  int commits{0};

private:
  struct Writer final : store::BlobWriter {
    Writer(FaultyBlobs& of, std::unique_ptr<store::BlobWriter> real)
        : faulty(of), writer(std::move(real)) {}

    Result<> write(std::span<std::byte const> bytes) override {
      if (faulty.at == At::write) return error(Fault::store_full, "no space left");
      return writer->write(bytes);
    }
    Result<> commit() override {
      if (faulty.before_commit) faulty.before_commit();
      if (faulty.at == At::commit) return error(Fault::unavailable, "commit failed");
      ++faulty.commits;
      return writer->commit();
    }

    FaultyBlobs& faulty;
    std::unique_ptr<store::BlobWriter> writer;
  };

  store::Blobs& blobs_;
};

// A database whose answer is lost, or that refuses, where a test tells it to.
class LossyDatabase final : public store::Database {
public:
  explicit LossyDatabase(store::Database& database) : database_(database) {}

  bool loses_next_write{false};
  bool refuses_next_write{false};

protected:
  Result<> do_read(Work const& work) override { return database_.read(work); }
  Result<> do_write(Work const& work) override {
    if (std::exchange(refuses_next_write, false)) return error(Fault::unavailable);
    auto done = database_.write(work);
    if (std::exchange(loses_next_write, false)) return error(Fault::outcome_unknown);
    return done;
  }

private:
  store::Database& database_;
};

class UploadsTest : public testing::Test {
protected:
  using Damage = std::tuple<ImageId, std::int64_t, std::optional<std::uint64_t>>;

  UploadsTest() {
    std::string name = (fs::temp_directory_path() / "vitrine_uploads_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    rows_ = std::make_unique<store::TestStore>(directory_);
    database_ = rows_->open().value();
    disk_ = store::FilesystemBlobs::open(directory_ / "blobs").value();
    blobs_ = std::make_unique<FaultyBlobs>(*disk_);
    policy_ = policy::Policy::load(policy::defaults()).value();
    access_ = std::make_unique<Access>(*policy_);
    build({.size_bytes_max = kCap});
    owner_.user = {"somebody"};
    owner_.project = {"owner"};
    owner_.roles = {"member", "reader"};
    stranger_ = owner_;
    stranger_.project = {"stranger"};
  }
  ~UploadsTest() override {
    uploads_.reset();
    database_.reset();
    rows_.reset();
    fs::remove_all(directory_);
  }

  std::unique_ptr<Uploads> make_uploads(std::string server) {
    UploadOptions options{.size_bytes_max = kCap};
    options.server = std::move(server);
    return std::make_unique<Uploads>(*database_, *blobs_, *access_, clock_, options);
  }

  std::size_t running_uploads() {
    return database_->read([](store::Connection& c) { return store::RunningUploads(c).all(); })
        .value()
        .size();
  }

  std::size_t unused_blobs() {
    return database_->read([](store::Connection& c) { return store::BlobIndex(c).unused(10); })
        .value()
        .size();
  }

  [[nodiscard]] fs::path place(BlobId const& blob) const {
    return directory_ / "blobs" / blob.text.substr(0, 2) / blob.text;
  }

  void build(UploadOptions options) {
    options.healed = [this](HealedData const& data) {
      healed_.emplace_back(data.damaged, data.blob);
    };
    uploads_ = std::make_unique<Uploads>(*database_, *blobs_, *access_, clock_, options);
    downloads_ =
        std::make_unique<Downloads>(*database_, *blobs_, *access_, [this](DamagedData const& data) {
          damaged_.emplace_back(data.image, data.size_bytes, data.size_found_bytes);
        });
  }

  ImageId make(std::function<void(model::Image&)> const& change = {}) {
    model::Image image;
    image.id = {new_uuid()};
    image.owner = owner_.project;
    image.disk_format = "raw";
    image.container_format = "bare";
    image.created_at = image.updated_at = clock_.now();
    if (change) change(image);
    EXPECT_TRUE(
        database_->write([&](store::Connection& c) { return store::Images(c).insert(image); }));
    return image.id;
  }

  model::Image get(ImageId const& id) {
    return database_->read([&](store::Connection& c) { return store::Images(c).get(id); }).value();
  }

  void change(ImageId const& id, std::function<void(model::Image&)> const& change) {
    EXPECT_TRUE(database_->write([&](store::Connection& c) -> Result<> {
      auto const before = TRY(store::Images(c).get(id));
      auto after = before;
      change(after);
      return store::Images(c).update(before, after);
    }));
  }

  void remove(ImageId const& id) {
    EXPECT_TRUE(database_->write([&](store::Connection& c) -> Result<> {
      auto const image = TRY(store::Images(c).get(id));
      return store::Images(c).remove(image, clock_.now());
    }));
  }

  std::unique_ptr<Upload> begin(ImageId const& id, Announcement const& announced = {}) {
    auto upload = uploads_->begin(owner_, id, announced);
    EXPECT_TRUE(upload) << (upload ? "" : upload.error().detail);
    return upload ? std::move(*upload) : nullptr;
  }

  Fault begin_fault(model::Caller const& caller, ImageId const& id,
                    Announcement const& announced = {}) {
    auto const upload = uploads_->begin(caller, id, announced);
    EXPECT_FALSE(upload);
    return upload ? Fault::internal : upload.error().fault;
  }

  static Result<> write(Upload& upload, std::string_view data) {
    for (auto left = bytes_of(data); !left.empty();) {
      auto block = upload.block();
      left = left.subspan(block.append(left));
      TRY(upload.write(std::move(block)));
    }
    return {};
  }

  Result<> put(ImageId const& id, std::string_view data) {
    auto const upload = begin(id);
    auto written = write(*upload, data);
    if (written) return upload->finish();
    upload->abandon(written.error());
    return written;
  }

  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (auto const& entry : fs::recursive_directory_iterator(directory_ / "blobs")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  std::vector<store::OutboxRow> outbox() {
    EXPECT_TRUE(database_->write(
        [](store::Connection& c) { return store::Audit(c).claim("test", {}, {}); }));
    return database_
        ->read([](store::Connection& c) { return store::Audit(c).claimed("test", 100); })
        .value();
  }
  std::size_t events() { return outbox().size(); }
  /// What was recorded last tells of a failed upload.
  void expect_failure_told(ImageId const& id, std::string_view initiator, Fault fault,
                           std::string_view detail) {
    auto const rows = outbox();
    ASSERT_FALSE(rows.empty());
    auto const& row = rows.back();
    EXPECT_NE(row.event.find(R"("event_type":"image.upload")"), std::string::npos) << row.event;
    EXPECT_NE(row.event.find(R"("initiator":{"id":")" + std::string(initiator) + '"'),
              std::string::npos)
        << row.event;
    EXPECT_NE(row.event.find(R"("target":{"id":")" + id.text), std::string::npos) << row.event;
    EXPECT_EQ(row.targets, R"([{"fault":")" + std::string(name_of(fault)) + R"(","detail":")" +
                               std::string(detail) + R"("}])");
  }

  void expect_queued(ImageId const& id, std::string_view reason) {
    auto const image = get(id);
    EXPECT_EQ(image.status, ImageStatus::queued);
    EXPECT_EQ(image.upload_error, reason);
    EXPECT_EQ(image.upload_id, "");
    EXPECT_FALSE(image.size_bytes || image.virtual_size_bytes || image.checksum ||
                 image.hash_value || image.active_at);
    EXPECT_TRUE(image.blob.empty());
    EXPECT_EQ(files(), 0U) << "no byte stays";
  }

  fs::path directory_;
  FakeClock clock_{kStart};
  std::unique_ptr<store::TestStore> rows_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::FilesystemBlobs> disk_;
  std::unique_ptr<FaultyBlobs> blobs_;
  std::optional<policy::Policy> policy_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<Uploads> uploads_;
  std::vector<Damage> damaged_;                   ///< what `downloads_` told of
  std::vector<std::pair<BlobId, BlobId>> healed_; ///< what `uploads_` told of
  std::unique_ptr<Downloads> downloads_;
  model::Caller owner_;
  model::Caller stranger_;
};

std::string const kQcow2Magic("QFI\xfb\0\0\0\3", 8);

} // namespace

TEST_F(UploadsTest, makes_a_queued_image_active) {
  auto const id = make([](auto& image) { image.upload_error = "an earlier failure"; });
  auto const upload = begin(id, {.size_bytes = 3, .content_length = 3});
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  EXPECT_EQ(get(id).upload_error, "");
  clock_.advance(kMicrosecondsPerSecond);
  ASSERT_TRUE(write(*upload, "a"));
  ASSERT_TRUE(write(*upload, "bc"));
  ASSERT_TRUE(upload->finish());

  auto const image = get(id);
  EXPECT_EQ(image.status, ImageStatus::active);
  EXPECT_EQ(image.size_bytes, 3);
  EXPECT_EQ(image.checksum, kMd5OfAbc);
  EXPECT_EQ(image.hash_value, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(image.virtual_size_bytes, 3);
  EXPECT_EQ(image.active_at, kStart + kMicrosecondsPerSecond);
  EXPECT_EQ(image.updated_at, kStart + kMicrosecondsPerSecond);
  EXPECT_EQ(image.upload_id, "");
  EXPECT_EQ(events(), 1U);

  auto const download = downloads_->open(owner_, id);
  ASSERT_TRUE(download && *download);
  EXPECT_EQ((*download)->data->size_bytes(), 3U);
  EXPECT_EQ((*download)->checksum, kMd5OfAbc);
}

TEST_F(UploadsTest, no_bytes_make_an_image_of_size_0) {
  auto const id = make([](auto& image) { image.disk_format = "qcow2"; });
  ASSERT_TRUE(begin(id)->finish());
  EXPECT_EQ(get(id).status, ImageStatus::active);
  EXPECT_EQ(get(id).size_bytes, 0);
  EXPECT_EQ(get(id).checksum, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(get(id).disk_format, "qcow2");
}

TEST_F(UploadsTest, takes_the_disk_format_from_the_bytes) {
  auto const id = make([](auto& image) { image.disk_format.reset(); });
  ASSERT_TRUE(put(id, "just some bytes"));
  EXPECT_EQ(get(id).disk_format, "raw");
}

TEST_F(UploadsTest, wants_formats_to_be_set) {
  auto const bare = make([](auto& image) { image.container_format.reset(); });
  auto const refused = uploads_->begin(owner_, bare, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::invalid_value);
  EXPECT_EQ(refused.error().field, "container_format");
  expect_queued(bare, "");

  build({.size_bytes_max = kCap, .detects_disk_format = false});
  auto const raw = make([](auto& image) { image.disk_format.reset(); });
  EXPECT_EQ(begin_fault(owner_, raw), Fault::invalid_value);
  expect_queued(raw, "");
}

TEST_F(UploadsTest, is_for_those_who_may) {
  auto const hidden = make();
  auto const open = make([](auto& image) { image.visibility = model::Visibility::public_; });
  auto reader = owner_;
  reader.roles = {"reader"};
  EXPECT_EQ(begin_fault(stranger_, hidden), Fault::image_not_found);
  EXPECT_EQ(begin_fault(stranger_, open), Fault::forbidden);
  EXPECT_EQ(begin_fault(reader, hidden), Fault::forbidden);
  EXPECT_EQ(begin_fault(owner_, {new_uuid()}), Fault::image_not_found);
  expect_queued(hidden, "");
}

TEST_F(UploadsTest, wants_a_queued_image) {
  for (auto const status : {ImageStatus::saving, ImageStatus::active, ImageStatus::deactivated,
                            ImageStatus::importing}) {
    auto const id = make([&](auto& image) { image.status = status; });
    auto const refused = uploads_->begin(owner_, id, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::wrong_status);
    EXPECT_EQ(refused.error().detail, "Image status transition from " +
                                          std::string(name_of(status)) +
                                          " to saving is not allowed");
  }
}

TEST_F(UploadsTest, one_of_two_wins) {
  auto const id = make();
  auto const first = begin(id);
  EXPECT_EQ(begin_fault(owner_, id), Fault::wrong_status);
  ASSERT_TRUE(write(*first, "first"));
  ASSERT_TRUE(first->finish());
  EXPECT_EQ(get(id).size_bytes, 5);
}

TEST_F(UploadsTest, holds_clients_to_what_they_announce) {
  auto const id = make();
  EXPECT_EQ(begin_fault(owner_, id, {.size_bytes = 5, .content_length = 3}), Fault::invalid_value);
  expect_queued(id, "");

  auto upload = begin(id, {.size_bytes = 5, .content_length = {}});
  ASSERT_TRUE(write(*upload, "abc"));
  auto const fewer = upload->finish();
  ASSERT_FALSE(fewer);
  EXPECT_EQ(fewer.error().fault, Fault::invalid_value);
  expect_queued(id, "The announced size is 5 bytes, but 3 were sent.");

  upload = begin(id, {.size_bytes = 2, .content_length = {}});
  auto const more = write(*upload, "abc");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().fault, Fault::invalid_value);
  upload->abandon(more.error());
  expect_queued(id, "The announced size is 2 bytes, but more were sent.");
}

TEST_F(UploadsTest, stops_at_the_largest_size) {
  auto const id = make();
  EXPECT_EQ(begin_fault(owner_, id, {.size_bytes = {}, .content_length = kCap + 1}),
            Fault::too_large);
  EXPECT_EQ(begin_fault(owner_, id, {.size_bytes = kCap + 1, .content_length = {}}),
            Fault::too_large);
  std::string const most(kCap, 'x');
  ASSERT_TRUE(put(id, most));

  auto const other = make();
  auto const upload = begin(other);
  ASSERT_TRUE(write(*upload, most));
  auto const over = write(*upload, "y");
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().fault, Fault::too_large);
}

TEST_F(UploadsTest, refuses_bytes_that_do_not_fit) {
  auto const id = make([](auto& image) { image.disk_format = "qcow2"; });
  auto const text = put(id, "this is no disk");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().fault, Fault::format_mismatch);
  expect_queued(id, text.error().detail);
  expect_failure_told(id, "somebody", Fault::format_mismatch, text.error().detail);

  auto const raw = make();
  auto const disguised = put(raw, kQcow2Magic + std::string(1000, '\0'));
  ASSERT_FALSE(disguised);
  EXPECT_EQ(disguised.error().kind(), Kind::unsupported_media);
  expect_queued(raw, disguised.error().detail);
}

TEST_F(UploadsTest, refuses_a_wrong_format_before_the_end) {
  auto const id = make([](auto& image) { image.disk_format = "vhdx"; });
  auto const upload = begin(id);
  auto const written = write(*upload, "\x1f\x8b\x08" + std::string(100'000, '\0'));
  ASSERT_FALSE(written) << "gzip";
  EXPECT_EQ(written.error().fault, Fault::format_mismatch);
}

TEST_F(UploadsTest, an_upload_that_ends_early_leaves_the_image_queued) {
  auto const id = make();
  {
    auto const upload = begin(id);
    ASSERT_TRUE(write(*upload, std::string(600'000, 'x')));
    EXPECT_EQ(files(), 1U);
    upload->abandon(error(Fault::invalid_body, "the client left"));
    expect_queued(id, "the client left");
    expect_failure_told(id, "somebody", Fault::invalid_body, "the client left");
  }
  expect_queued(id, "the client left");
  {
    auto const dropped = begin(id);
  }
  expect_queued(id, "The upload ended early.");
  EXPECT_EQ(events(), 2U) << "one a failed upload";
  ASSERT_TRUE(put(id, "abc")) << "a retry works";
  EXPECT_EQ(get(id).upload_error, "");
}

TEST_F(UploadsTest, a_deleted_image_takes_no_bytes) {
  auto const id = make();
  auto const upload = begin(id);
  ASSERT_TRUE(write(*upload, "abc"));
  remove(id);
  auto const done = upload->finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::image_gone);
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(events(), 0U);
}

TEST_F(UploadsTest, an_image_deleted_while_bytes_are_made_permanent_takes_none) {
  auto const id = make();
  blobs_->before_commit = [&] { remove(id); };
  auto const done = put(id, "abc");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::image_gone);
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadsTest, a_lost_upload_does_not_touch_its_successor) {
  auto const id = make();
  auto const lost = begin(id);
  ASSERT_TRUE(write(*lost, "lost"));
  change(id, [](auto& image) { // as recovery by another process would
    image.status = ImageStatus::queued;
    image.upload_id.clear();
  });
  auto const next = begin(id);
  ASSERT_TRUE(write(*next, "next one"));
  auto const done = lost->finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::image_gone);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  ASSERT_TRUE(next->finish());
  EXPECT_EQ(get(id).size_bytes, 8);
}

TEST_F(UploadsTest, keeps_changes_made_meanwhile) {
  auto const id = make();
  auto const upload = begin(id);
  change(id, [](auto& image) {
    image.name = "renamed";
    image.tags_json = R"(["t"])";
    image.visibility = model::Visibility::community;
  });
  ASSERT_TRUE(upload->finish());
  EXPECT_EQ(get(id).name, "renamed");
  EXPECT_EQ(get(id).tags_json, R"(["t"])");
  EXPECT_EQ(get(id).visibility, model::Visibility::community);
  EXPECT_EQ(get(id).status, ImageStatus::active);
}

TEST_F(UploadsTest, keeps_equal_bytes_once) {
  auto const first = make();
  auto const second = make();
  auto const other = make();
  ASSERT_TRUE(put(first, "abc"));
  ASSERT_TRUE(put(second, "abc"));
  ASSERT_TRUE(put(other, "abd"));
  EXPECT_EQ(get(first).blob, get(second).blob);
  EXPECT_NE(get(first).blob, get(other).blob);
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(blobs_->commits, 2) << "known bytes are not written out";

  EXPECT_TRUE(database_->write([blob = get(first).blob](store::Connection& c) {
    return store::BlobIndex(c).drop_reference(blob);
  }));
  EXPECT_EQ(unused_blobs(), 0U) << "the other image still refers to them";
  EXPECT_TRUE(database_->write([blob = get(second).blob](store::Connection& c) {
    return store::BlobIndex(c).drop_reference(blob);
  }));
  EXPECT_EQ(unused_blobs(), 1U);
}

TEST_F(UploadsTest, equal_bytes_made_permanent_at_once_are_kept_once) {
  auto const first = make();
  auto const second = make();
  blobs_->before_commit = [&] {
    blobs_->before_commit = {};
    ASSERT_TRUE(put(second, "abc"));
  };
  ASSERT_TRUE(put(first, "abc"));
  EXPECT_EQ(blobs_->commits, 2);
  EXPECT_EQ(get(first).blob, get(second).blob);
  EXPECT_EQ(files(), 1U);
}

// The row of a blob alone was taken for its bytes: good new ones were thrown away, for ever.
TEST_F(UploadsTest, heals_damaged_bytes_with_equal_ones) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  for (bool const lost : {true, false}) {
    auto const damaged = get(old).blob;
    if (lost) {
      EXPECT_TRUE(disk_->remove(damaged));
    } else {
      fs::resize_file(place(damaged), 2);
    }
    auto const id = make();
    ASSERT_TRUE(put(id, "abc"));
    EXPECT_NE(get(id).blob, damaged);
    EXPECT_EQ(get(id).blob, get(old).blob);
    EXPECT_TRUE(downloads_->open(owner_, old));
    EXPECT_EQ(healed_.back(), std::pair(damaged, get(id).blob));
    EXPECT_EQ(files(), 1U) << "what is left of the damaged bytes goes";
  }
  EXPECT_EQ(healed_.size(), 2U);
  for (int references = 3; references > 0; --references) {
    EXPECT_EQ(unused_blobs(), 0U) << references;
    EXPECT_TRUE(database_->write([blob = get(old).blob](store::Connection& c) {
      return store::BlobIndex(c).drop_reference(blob);
    }));
  }
  EXPECT_EQ(unused_blobs(), 1U);
}

TEST_F(UploadsTest, of_two_uploads_that_heal_the_same_bytes_one_does) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  ASSERT_TRUE(disk_->remove(get(old).blob));
  auto const first = make();
  auto const second = make();
  blobs_->before_commit = [&] {
    blobs_->before_commit = {};
    ASSERT_TRUE(put(second, "abc"));
  };
  ASSERT_TRUE(put(first, "abc"));
  EXPECT_EQ(healed_.size(), 1U);
  EXPECT_EQ(get(first).blob, get(second).blob);
  EXPECT_EQ(get(first).blob, get(old).blob);
  EXPECT_EQ(files(), 1U);
}

TEST_F(UploadsTest, equal_bytes_that_the_sweeper_takes_meanwhile_are_kept_anew) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  auto const swept = get(old).blob;
  blobs_->before_open = [&] { // the upload has read the row, and looks at the bytes
    blobs_->before_open = {};
    ASSERT_TRUE(database_->write([&](store::Connection& c) -> Result<> {
      TRY(store::BlobIndex(c).drop_reference(swept));
      EXPECT_TRUE(TRY(store::BlobIndex(c).forget_unused(swept)));
      return {};
    }));
    ASSERT_TRUE(disk_->remove(swept));
  };
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  EXPECT_TRUE(healed_.empty());
  EXPECT_NE(get(id).blob, swept);
  EXPECT_TRUE(downloads_->open(owner_, id));
  EXPECT_EQ(files(), 1U);
}

// The bytes were removed, those of an active image.
TEST_F(UploadsTest, bytes_stay_when_nobody_knows_whether_they_were_taken) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_, {.size_bytes_max = kCap});
  auto const id = make();
  {
    auto const upload = uploads.begin(owner_, id, {}).value();
    ASSERT_TRUE(write(*upload, "abc"));
    blobs_->before_commit = [&] { lossy.loses_next_write = true; };
    EXPECT_EQ(upload->finish().error().fault, Fault::outcome_unknown);
  }
  EXPECT_EQ(get(id).status, ImageStatus::active);
  EXPECT_TRUE(downloads_->open(owner_, id));
  EXPECT_EQ(uploads.remove_strays(0).value(), 0);
  EXPECT_EQ(files(), 1U);
}

// Its server kept it alive for ever, so the image waited for bytes that nobody sent.
TEST_F(UploadsTest, an_upload_whose_begin_nobody_answered_for_ends_beside_others) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_, {.size_bytes_max = kCap, .server = "s"});
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

TEST_F(UploadsTest, an_end_that_the_database_did_not_hear_is_told_again) {
  LossyDatabase lossy(*database_);
  Uploads uploads(lossy, *blobs_, *access_, clock_, {.size_bytes_max = kCap, .server = "s"});
  auto const beside = uploads.begin(owner_, make(), {}).value();
  auto const id = make();
  auto const upload = uploads.begin(owner_, id, {}).value();
  lossy.refuses_next_write = true;
  upload->abandon(error(Fault::invalid_body, "the client left"));
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  EXPECT_TRUE(uploads.keep_alive());
  EXPECT_EQ(get(id).status, ImageStatus::queued);
}

TEST_F(UploadsTest, a_failing_store_leaves_the_image_queued) {
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

TEST_F(UploadsTest, recovers_what_the_end_of_the_process_cut) {
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
  EXPECT_EQ(uploads_->remove_strays(3600).value(), 0) << "too young";
  EXPECT_EQ(uploads_->remove_strays(0).value(), 2);
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

// Was answered as an image that does not exist, which clients take for deleted.
TEST_F(UploadsTest, data_that_is_missing_is_not_an_image_that_is) {
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  auto const remove_data = [this, blob = get(id).blob] { EXPECT_TRUE(disk_->remove(blob)); };
  blobs_->before_open = [&] {
    remove_data();
    remove(id);
  };
  auto const deleted = downloads_->open(owner_, id);
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().fault, Fault::image_not_found) << "deleted this moment";
  EXPECT_TRUE(damaged_.empty());

  auto const damaged = make();
  blobs_->before_open = nullptr;
  ASSERT_TRUE(put(damaged, "abc"));
  EXPECT_TRUE(disk_->remove(get(damaged).blob));
  auto const missing = downloads_->open(owner_, damaged);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().fault, Fault::unavailable);
  EXPECT_EQ(damaged_, (std::vector<Damage>{{damaged, 3, std::nullopt}}));
}

// Was sent, with a Content-Length to match.
TEST_F(UploadsTest, data_of_another_size_is_not_sent) {
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  for (auto const size : {2U, 4U}) {
    fs::resize_file(place(get(id).blob), size);
    auto const opened = downloads_->open(owner_, id);
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().fault, Fault::unavailable);
    EXPECT_EQ(damaged_.back(), (Damage{id, 3, size}));
  }
}

TEST_F(UploadsTest, the_uploads_of_another_server_go_on) {
  auto const other = make_uploads("other");
  auto const id = make();
  auto running = other->begin(owner_, id, {}).value();
  ASSERT_TRUE(write(*running, "abc"));
  ASSERT_TRUE(uploads_->recover());
  EXPECT_EQ(uploads_->remove_strays(0).value(), 0);
  clock_.advance(Uploads::kSilentSeconds * kMicrosecondsPerSecond);
  ASSERT_TRUE(other->keep_alive());
  clock_.advance(Uploads::kSilentSeconds * kMicrosecondsPerSecond);
  ASSERT_TRUE(uploads_->keep_alive());
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  ASSERT_TRUE(running->finish());
  EXPECT_EQ(get(id).checksum, kMd5OfAbc);
  running.reset();
  EXPECT_EQ(running_uploads(), 0U);
}

TEST_F(UploadsTest, the_uploads_of_a_server_that_fell_silent_end) {
  auto const other = make_uploads("other");
  auto const id = make();
  auto lost = other->begin(owner_, id, {}).value();
  ASSERT_TRUE(write(*lost, "abc"));
  clock_.advance(Uploads::kSilentSeconds * kMicrosecondsPerSecond + 1);
  ASSERT_TRUE(uploads_->keep_alive());
  EXPECT_EQ(get(id).status, ImageStatus::queued);
  EXPECT_EQ(get(id).upload_error, "The server stopped during the upload.");
  EXPECT_EQ(uploads_->remove_strays(0).value(), 1);
  ASSERT_TRUE(put(id, "again"));
  EXPECT_EQ(lost->finish().error().fault, Fault::image_gone) << "it woke up too late";
  lost.reset();
  EXPECT_EQ(get(id).status, ImageStatus::active);
  EXPECT_EQ(uploads_->remove_strays(0).value(), 0);
}

TEST_F(UploadsTest, an_upload_whose_image_is_deleted_keeps_its_bytes_until_it_ends) {
  auto const id = make();
  auto upload = begin(id);
  ASSERT_TRUE(write(*upload, "abc"));
  remove(id);
  EXPECT_EQ(uploads_->remove_strays(0).value(), 0);
  EXPECT_EQ(upload->finish().error().fault, Fault::image_gone);
  EXPECT_EQ(running_uploads(), 0U);
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadsTest, downloads_are_for_those_who_may) {
  auto const id = make();
  auto const nothing_yet = downloads_->open(owner_, id);
  ASSERT_TRUE(nothing_yet);
  EXPECT_FALSE(*nothing_yet);
  ASSERT_TRUE(put(id, "abc"));

  auto reader = owner_;
  reader.roles = {"reader"};
  auto admin = stranger_;
  admin.is_admin = true;
  admin.roles = {"admin", "member", "reader"};
  auto const fault = [&](model::Caller const& caller) {
    auto const opened = downloads_->open(caller, id);
    if (!opened) return opened.error().fault;
    return Fault::internal; // stands for success
  };
  EXPECT_EQ(fault(owner_), Fault::internal);
  EXPECT_EQ(fault(reader), Fault::forbidden);
  EXPECT_EQ(fault(stranger_), Fault::image_not_found);
  change(id, [](auto& image) { image.status = ImageStatus::deactivated; });
  EXPECT_EQ(fault(owner_), Fault::image_deactivated);
  EXPECT_EQ(fault(stranger_), Fault::image_not_found);
  EXPECT_EQ(fault(admin), Fault::internal);
}

} // namespace vitrine::service
