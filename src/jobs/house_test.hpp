// For tests: a database that can lose its writes, images, projects, and an engine over them.
#pragma once

#include "jobs/engine/engine.hpp"
#include "jobs/submit.hpp"
#include "service/copies.hpp"
#include "service/encryption.hpp"
#include "service/exports.hpp"
#include "service/imports.hpp"
#include "service/sharing.hpp"
#include "service/uploads.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/buckets/directory/directory_buckets.hpp"
#include "store/keys/builtin/keyring.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/members.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

namespace vitrine::jobs {

constexpr Time kTestStart{1'700'000'000'000'000};

/// Fails every write once `writes_left` are used up, as if the process had ended there.
class DyingDatabase final : public store::Database {
public:
  explicit DyingDatabase(store::Database& real) : real_(real) {}
  std::atomic<int> writes_left{1'000'000};
  Fault fault{Fault::unavailable};
  std::function<void()> after_write; ///< one that was kept

protected:
  Result<> do_read(Work const& work) override { return real_.read(work); }
  Result<> do_write(Work const& work) override {
    if (writes_left-- <= 0) return error(fault, "the process ended here");
    auto written = real_.write(work);
    if (written && after_write) after_write();
    return written;
  }

private:
  store::Database& real_;
};

/// A key service that is slow: `while_asked` is what happens before it tells the state of a key.
class SlowKeys final : public store::KeyService {
public:
  explicit SlowKeys(store::KeyService& keys) : keys_(keys) {}
  std::function<void()> while_asked;
  std::optional<Error> answer; ///< in place of the state

  Result<store::KeyState> state(std::string_view key) override {
    if (while_asked) while_asked();
    if (answer) return Error(*answer);
    return keys_.state(key);
  }
  Result<std::string> default_key(ProjectId const& project) override {
    return keys_.default_key(project);
  }
  Result<store::KeyState> default_key_state(ProjectId const& project) override {
    if (while_asked) while_asked();
    if (answer) return Error(*answer);
    return keys_.default_key_state(project);
  }
  Result<store::WrappedKey> wrap(std::string_view key, store::Secret const& data_key,
                                 std::string_view bound_to) override {
    return keys_.wrap(key, data_key, bound_to);
  }
  Result<store::Secret> unwrap(store::WrappedKey const& wrapped,
                               std::string_view bound_to) override {
    return keys_.unwrap(wrapped, bound_to);
  }
  Result<std::vector<store::Key>> list() override { return keys_.list(); }
  Result<store::Key> create(std::string_view name) override { return keys_.create(name); }
  Result<> set_enabled(std::string_view key, bool enabled) override {
    return keys_.set_enabled(key, enabled);
  }

private:
  store::KeyService& keys_;
};

class AnyProject final : public model::ProjectDirectory {
public:
  std::function<void()> while_asked;

  Result<bool> is_usable(ProjectId const& project) override {
    if (while_asked) while_asked();
    return project.text != "nobody";
  }
};

class House {
public:
  House() {
    std::string name = (std::filesystem::temp_directory_path() / "vitrine_jobs_XXXXXX").string();
    path = ::mkdtemp(name.data());
    kept = std::make_unique<store::TestStore>(path);
    real = kept->open().value();
    database = std::make_unique<DyingDatabase>(*real);
    quotas = std::make_unique<service::Quotas>(*database, service::QuotaDefaults{});
    auto files = store::FilesystemBlobs::open(path / "blobs").value();
    EXPECT_TRUE(files->set_mark("of this test"));
    blobs = std::move(files);
    keys = store::Keyring::open(path / "keyring", clock).value();
    slow_keys = std::make_unique<SlowKeys>(*keys);
    encryption = std::make_unique<service::Encryption>(*slow_keys, *blobs);
    sharing = std::make_unique<service::Sharing>(*database, access, *quotas, *encryption, projects,
                                                 clock, service::SharingOptions{});
    uploads = std::make_unique<service::Uploads>(*database, *blobs, access, clock,
                                                 service::UploadOptions{.server = "server"});
    image_rules = std::make_unique<service::Images>(*database, access, *quotas, clock,
                                                    service::ImagesOptions{});
    copies = std::make_unique<service::Copies>(access, *image_rules, *encryption, *uploads,
                                               service::CopyOptions{});
    buckets = std::make_unique<store::DirectoryBuckets>(path / "buckets");
    imports = std::make_unique<service::Imports>(access, *image_rules, *encryption, *uploads,
                                                 *buckets, clock);
    converter =
        convert::Converter::open({.directory = path / "convert", .qemu_img = "qemu-img"}).value();
    exports = std::make_unique<service::Exports>(access, *encryption, *buckets, *converter);
    submitter = std::make_unique<Submitter>(*database, *encryption, clock, bell);
    owner.project = {"owner"};
    owner.roles = {"member", "reader"};
    engine = new_engine();
  }
  ~House() {
    engine.reset();
    copies.reset();
    uploads.reset();
    database.reset();
    real.reset();
    kept.reset();
    std::filesystem::remove_all(path);
  }

  KindServices services() {
    return {*sharing, *copies, *imports, *exports, *encryption, *uploads, *database, *buckets};
  }
  std::vector<JobKind> kinds() { return all_kinds(services()); }
  std::unique_ptr<Engine> new_engine(EngineOptions options = {}) {
    return std::make_unique<Engine>(*database, clock, bell, kinds(), metrics, options);
  }

  ImageId image(int number) {
    model::Image made;
    made.id = {"00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + number)};
    made.owner = owner.project;
    made.status = model::ImageStatus::active;
    made.created_at = kTestStart;
    made.updated_at = kTestStart;
    EXPECT_TRUE(real->write(
        [&](store::Connection& connection) { return store::Images(connection).insert(made); }));
    return made.id;
  }
  /// An image with these bytes.
  ImageId image_with_data(std::string_view data) {
    auto const id = image(1);
    EXPECT_TRUE(real->write([&](store::Connection& connection) -> Result<> {
      store::Images stored(connection);
      auto const before = TRY(stored.get(id));
      auto after = before;
      after.status = model::ImageStatus::queued;
      after.disk_format = "raw";
      after.container_format = "bare";
      return stored.update(before, after);
    }));
    auto const upload = uploads->begin(owner, id, {}).value();
    for (auto left = std::as_bytes(std::span(data)); !left.empty();) {
      auto block = upload->block();
      left = left.subspan(block.append(left));
      EXPECT_TRUE(upload->write(std::move(block)));
    }
    EXPECT_TRUE(upload->finish());
    return id;
  }
  PairArguments pairs(int images, int members) {
    PairArguments out;
    for (int i = 0; i < images; ++i)
      out.images.push_back(image(i));
    for (int i = 0; i < members; ++i)
      out.projects.push_back({"project-" + std::to_string(i)});
    return out;
  }
  JobId submit(std::string_view kind, PairArguments const& arguments) {
    return submitter->submit(owner, pairs_order(kind, arguments)).value();
  }
  JobReport report(JobId const& id) { return submitter->report(owner, id).value(); }
  std::size_t members(ImageId const& id) {
    return real
        ->read([&](store::Connection& connection) { return store::Members(connection).of(id); })
        ->size();
  }
  /// All rows of a query, as text.
  std::string rows(std::string const& query, int columns) {
    store::sql::Statement const statement{"test", query};
    std::string out;
    EXPECT_TRUE(real->read([&](store::Connection& connection) {
      return connection.run(statement, {}, [&](store::Row const& row) {
        for (int i = 0; i < columns; ++i)
          out.append(row.text(i)).append("|");
        out += '\n';
      });
    }));
    return out;
  }

  std::filesystem::path path;
  FakeClock clock{kTestStart};
  std::unique_ptr<store::TestStore> kept;
  std::unique_ptr<store::Database> real;
  std::unique_ptr<DyingDatabase> database;
  service::policy::Policy policy{
      service::policy::Policy::load(service::policy::defaults()).value()};
  service::Access access{policy};
  AnyProject projects;
  std::unique_ptr<service::Quotas> quotas;
  std::unique_ptr<service::Sharing> sharing;
  std::unique_ptr<service::Images> image_rules;
  std::unique_ptr<store::Blobs> blobs;
  std::unique_ptr<store::Keyring> keys;
  std::unique_ptr<SlowKeys> slow_keys; ///< the same ones
  std::unique_ptr<service::Encryption> encryption;
  std::unique_ptr<service::Uploads> uploads;
  std::unique_ptr<service::Copies> copies;
  std::unique_ptr<store::Buckets> buckets;
  std::unique_ptr<service::Imports> imports;
  std::unique_ptr<convert::Converter> converter;
  std::unique_ptr<service::Exports> exports;
  Bell bell;
  std::unique_ptr<Submitter> submitter;
  ops::Metrics metrics;
  std::unique_ptr<Engine> engine;
  model::Caller owner;
};

} // namespace vitrine::jobs
