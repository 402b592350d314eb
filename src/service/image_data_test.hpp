// For tests: images whose data goes up and down, over a store that can fail.
#pragma once

#include "service/downloads.hpp"
#include "service/uploads.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/keys/builtin/keyring.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/running_uploads.hpp"

#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unistd.h>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vitrine::service {

constexpr Time kTestStart{1'700'000'000'000'000};
constexpr std::int64_t kTestSizeMax = 1 << 20;
constexpr std::string_view kMd5OfAbc = "900150983cd24fb0d6963f7d28e17f72";

inline std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A store that fails where a test tells it to.
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
  Result<> remove(BlobId const& id) override {
    ++removals;
    if (stuck.contains(id)) return error(Fault::unavailable, "remove failed");
    return blobs_.remove(id);
  }
  Result<> list(std::function<void(store::StoredBlob const&)> const& each) override {
    if (before_list) before_list();
    return blobs_.list(each);
  }
  Result<> look() override { return blobs_.look(); }

  At at{At::never};
  std::function<void()> before_commit;
  std::function<void()> before_open;
  std::function<void()> before_list;
  std::unordered_set<BlobId> stuck; ///< what cannot be removed
  int commits{0};
  int removals{0}; ///< that were tried

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

class ImageDataTest : public testing::Test {
protected:
  using Damage = std::tuple<ImageId, std::int64_t, std::optional<std::uint64_t>>;

  ImageDataTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vitrine_uploads_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    rows_ = std::make_unique<store::TestStore>(directory_);
    database_ = rows_->open().value();
    disk_ = store::FilesystemBlobs::open(directory_ / "blobs").value();
    blobs_ = std::make_unique<FaultyBlobs>(*disk_);
    keys_ = store::Keyring::open(directory_ / "keyring", clock_).value();
    encryption_ = std::make_unique<Encryption>(*keys_, *blobs_);
    policy_ = policy::Policy::load(policy::defaults()).value();
    access_ = std::make_unique<Access>(*policy_);
    build({.size_bytes_max = kTestSizeMax});
    owner_.user = {"somebody"};
    owner_.project = {"owner"};
    owner_.roles = {"member", "reader"};
    stranger_ = owner_;
    stranger_.project = {"stranger"};
  }
  ~ImageDataTest() override {
    uploads_.reset();
    database_.reset();
    rows_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<Uploads> make_uploads(std::string server) {
    UploadOptions options{.size_bytes_max = kTestSizeMax};
    options.server = std::move(server);
    return std::make_unique<Uploads>(*database_, *blobs_, *access_, clock_, options);
  }

  std::size_t running_uploads() {
    return database_->read([](store::Connection& c) { return store::RunningUploads(c).all(); })
        .value()
        .size();
  }

  std::size_t unused_blobs() {
    return database_->read([](store::Connection& c) { return store::BlobIndex(c).unused("", 10); })
        .value()
        .size();
  }

  [[nodiscard]] std::filesystem::path place(BlobId const& blob) const {
    return directory_ / "blobs" / blob.text.substr(0, 2) / blob.text;
  }

  void build(UploadOptions options) {
    options.healed = [this](HealedData const& data) {
      healed_.emplace_back(data.damaged, data.blob);
    };
    uploads_ = std::make_unique<Uploads>(*database_, *blobs_, *access_, clock_, options);
    downloads_ = std::make_unique<Downloads>(
        *database_, *encryption_, *access_, [this](DamagedData const& data) {
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
    for (auto const& entry : std::filesystem::recursive_directory_iterator(directory_ / "blobs")) {
      count += is_job_id(entry.path().filename().string()) ? 1 : 0; // ids of blobs have that form
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
    EXPECT_EQ(image.status, model::ImageStatus::queued);
    EXPECT_EQ(image.upload_error, reason);
    EXPECT_EQ(image.upload_id, "");
    EXPECT_FALSE(image.size_bytes || image.virtual_size_bytes || image.checksum ||
                 image.hash_value || image.active_at);
    EXPECT_TRUE(image.blob.empty());
    EXPECT_EQ(files(), 0U) << "no byte stays";
  }

  std::filesystem::path directory_;
  FakeClock clock_{kTestStart};
  std::unique_ptr<store::TestStore> rows_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::FilesystemBlobs> disk_;
  std::unique_ptr<FaultyBlobs> blobs_;
  std::unique_ptr<store::Keyring> keys_;
  std::unique_ptr<Encryption> encryption_;
  std::optional<policy::Policy> policy_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<Uploads> uploads_;
  std::vector<Damage> damaged_;                   ///< what `downloads_` told of
  std::vector<std::pair<BlobId, BlobId>> healed_; ///< what `uploads_` told of
  std::unique_ptr<Downloads> downloads_;
  model::Caller owner_;
  model::Caller stranger_;
};

} // namespace vitrine::service
