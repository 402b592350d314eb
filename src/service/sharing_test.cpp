#include "service/sharing.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/keys/builtin/keyring.hpp"
#include "store/keys/no_keys.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/members.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>

namespace vitrine::service {
namespace {

using model::ImageStatus;
using model::MemberStatus;
using model::Visibility;

constexpr Time kStart{1'700'000'000'000'000};

class FakeDirectory final : public model::ProjectDirectory {
public:
  Result<bool> is_usable(ProjectId const& project) override {
    ++questions;
    if (while_asked) while_asked();
    if (fault) return error(*fault);
    return !unknown.contains(project.text);
  }
  [[nodiscard]] std::size_t questions_at_once() const noexcept override { return at_once; }
  std::set<std::string> unknown;
  std::optional<Fault> fault;
  std::atomic<int> questions{0};
  std::function<void()> while_asked;
  std::size_t at_once{1};
};

bool never() { return false; }

model::Caller caller_of(std::string project,
                        std::vector<std::string> roles = {"member", "reader"}) {
  model::Caller caller;
  caller.project = {std::move(project)};
  caller.roles = std::move(roles);
  return caller;
}

class SharingTest : public testing::Test {
protected:
  SharingTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vitrine_sharing_XXXXXX").string();
    directory_path_ = ::mkdtemp(name.data());
    rows_ = std::make_unique<store::TestStore>(directory_path_);
    database_ = rows_->open().value();
    keys_ = store::Keyring::open(directory_path_ / "keyring", clock_).value();
    blobs_ = store::FilesystemBlobs::open(directory_path_ / "blobs").value();
    encryption_ = std::make_unique<Encryption>(*keys_, *blobs_);
    build({}, {});
    admin_.is_admin = true;
  }
  ~SharingTest() override {
    sharing_.reset();
    database_.reset();
    rows_.reset();
    std::filesystem::remove_all(directory_path_);
  }

  void build(SharingOptions options, QuotaDefaults quotas) {
    sharing_.reset();
    quotas_ = std::make_unique<Quotas>(*database_, quotas);
    sharing_ = std::make_unique<Sharing>(*database_, access_, *quotas_, *encryption_, directory_,
                                         clock_, options);
  }

  /// A stored image of `owner`, active and private unless `change` says otherwise.
  template <class Change>
  ImageId image(Change change) {
    model::Image made;
    made.id = {new_uuid()};
    made.owner = owner_.project;
    made.status = ImageStatus::active;
    made.created_at = kStart;
    made.updated_at = kStart;
    change(made);
    EXPECT_TRUE(database_->write(
        [&](store::Connection& connection) { return store::Images(connection).insert(made); }));
    return made.id;
  }
  ImageId image() {
    return image([](model::Image&) {});
  }
  ImageId image_with(model::Properties const& properties) {
    return image([&](model::Image& made) { made.set_properties(properties); });
  }

  model::Image stored(ImageId const& id) {
    return database_
        ->read([&](store::Connection& connection) { return store::Images(connection).get(id); })
        .value();
  }
  std::map<std::string, MemberStatus> rows(ImageId const& id) {
    std::map<std::string, MemberStatus> out;
    auto const members = database_->read(
        [&](store::Connection& connection) { return store::Members(connection).of(id); });
    for (auto const& member : *members)
      out.emplace(member.project.text, member.status);
    return out;
  }
  void sql(std::string const& text) {
    store::sql::Statement const statement{"test", text};
    EXPECT_TRUE(database_->write(
        [&](store::Connection& connection) { return connection.run(statement, {}); }));
  }

  /// Shares as a job does; failures as {index, fault}.
  std::map<std::size_t, Fault> share(model::Caller const& caller, ImageId const& id,
                                     std::vector<ProjectId> const& projects) {
    auto const checked = sharing_->check_projects(projects, never).value();
    PairFailures failures;
    auto const run = [&](store::Database::Work const& work) { return database_->write(work); };
    auto const add = [&](store::Connection& connection, KeyStates& states) -> Result<> {
      failures =
          TRY(sharing_->add_all(connection, states, batch_of(caller), id, projects, checked));
      return {};
    };
    EXPECT_TRUE(encryption_->in_unit(run, add));
    return by_index(failures);
  }
  std::map<std::size_t, Fault> unshare(model::Caller const& caller, ImageId const& id,
                                       std::vector<ProjectId> const& projects) {
    return outcome(
        [&](store::Connection& connection, Batch const& batch) {
          return sharing_->remove_all(connection, batch, id, projects);
        },
        caller);
  }
  std::map<std::size_t, Fault> answer(model::Caller const& caller, ImageId const& id,
                                      ProjectId const& project, MemberStatus status) {
    std::vector<ProjectId> const projects{project};
    return outcome(
        [&](store::Connection& connection, Batch const& batch) {
          return sharing_->answer_all(connection, batch, id, projects, status);
        },
        caller);
  }
  template <class Work>
  std::map<std::size_t, Fault> outcome(Work work, model::Caller const& caller) {
    auto const batch = batch_of(caller);
    auto const failures =
        database_->write([&](store::Connection& connection) { return work(connection, batch); });
    return by_index(*failures);
  }
  [[nodiscard]] Batch batch_of(model::Caller const& caller) const {
    static JobId const job{"0123456789abcdef0123456789abcdef"};
    return {caller, job, clock_.now()};
  }
  static std::map<std::size_t, Fault> by_index(PairFailures const& failures) {
    std::map<std::size_t, Fault> out;
    for (auto const& failure : failures)
      out.emplace(failure.index, failure.fault);
    return out;
  }

  using Failures = std::map<std::size_t, Fault>;

  std::filesystem::path directory_path_;
  std::unique_ptr<store::TestStore> rows_;
  std::unique_ptr<store::Database> database_;
  FakeClock clock_{kStart};
  policy::Policy policy_{policy::Policy::load(policy::defaults()).value()};
  Access access_{policy_};
  FakeDirectory directory_;
  std::unique_ptr<store::Keyring> keys_;
  std::unique_ptr<store::Blobs> blobs_;
  std::unique_ptr<Encryption> encryption_;
  std::unique_ptr<Quotas> quotas_;
  std::unique_ptr<Sharing> sharing_;
  model::Caller owner_{caller_of("owner")};
  model::Caller b_{caller_of("b")};
  model::Caller admin_{caller_of("operator", {"admin", "member", "reader"})};
};

// The conditions of ims-api 5.1, in the order of its table.

TEST_F(SharingTest, AnImageThatIsNotVisibleDoesNotExist) {
  EXPECT_EQ(share(owner_, {new_uuid()}, {{"b"}, {"c"}}),
            (Failures{{0, Fault::image_not_found}, {1, Fault::image_not_found}}));
  auto const foreign = image();
  EXPECT_EQ(share(b_, foreign, {{"c"}}), (Failures{{0, Fault::image_not_found}}));
  EXPECT_EQ(rows(foreign).size(), 0U);
}

TEST_F(SharingTest, APublicImageIsNotShared) {
  auto const id = image([](model::Image& made) {
    made.visibility = Visibility::public_;
    made.status = ImageStatus::queued;
  });
  EXPECT_EQ(share(b_, id, {{"c"}}), (Failures{{0, Fault::image_is_public}}));
}

TEST_F(SharingTest, AReceivedImageIsNotSharedOn) {
  auto const id = image();
  EXPECT_EQ(share(owner_, id, {{"b"}}), Failures{});
  EXPECT_EQ(share(b_, id, {{"c"}}), (Failures{{0, Fault::not_image_owner}}));
  EXPECT_EQ(share(admin_, id, {{"c"}}), Failures{});
}

TEST_F(SharingTest, OnlyAnActiveImageIsShared) {
  for (auto const status : {ImageStatus::queued, ImageStatus::saving, ImageStatus::deactivated}) {
    auto const id = image([&](model::Image& made) {
      made.status = status;
      made.set_properties({{"__whole_image", "true"}});
    });
    EXPECT_EQ(share(owner_, id, {{"b"}}), (Failures{{0, Fault::image_not_active}}));
  }
}

TEST_F(SharingTest, AFullServerImageMustComeFromABackup) {
  auto const made = image_with({{"__whole_image", "true"},
                                {"__data_origin", "instance,x"},
                                {"__system__cmkid", "ims/default"}});
  EXPECT_EQ(share(owner_, made, {{"b"}}), (Failures{{0, Fault::full_server_image}}));
  auto const backed = image_with({{"__whole_image", "true"}, {"__backup_id", "x"}});
  EXPECT_EQ(share(owner_, backed, {{"b"}}), Failures{});
}

TEST_F(SharingTest, TheDefaultKeyForbidsSharing) {
  EXPECT_EQ(share(owner_, image_with({{"__system__cmkid", "ims/default"}}), {{"owner"}, {"b"}}),
            (Failures{{0, Fault::encrypted_default_key}, {1, Fault::encrypted_default_key}}));
}

TEST_F(SharingTest, ACustomKeyMustBeThereEnabledAndGranted) {
  auto const k1 = keys_->create("k1").value().id;
  auto const k2 = keys_->create("k2").value().id;
  ASSERT_TRUE(keys_->set_enabled(k1, false));
  auto const gone = image_with({{"__system__cmkid", "k0"}});
  auto const off = image_with({{"__system__cmkid", k1}});
  auto const on = image_with({{"__system__cmkid", k2}});
  sql("INSERT INTO key_grants VALUES ('" + k2 + "', 'b'), ('" + k2 + "', 'dom')");
  sql("INSERT INTO projects VALUES ('c', 'dom', 'c', '', 1, 0)");
  EXPECT_EQ(share(owner_, gone, {{"b"}}), (Failures{{0, Fault::key_missing}}));
  EXPECT_EQ(share(owner_, off, {{"b"}}), (Failures{{0, Fault::key_disabled}}));
  EXPECT_EQ(share(owner_, on, {{"b"}, {"c"}, {"d"}}), (Failures{{2, Fault::key_not_granted}}));
  EXPECT_EQ(rows(on).size(), 2U);
}

TEST_F(SharingTest, TheSameHoldsForOneMemberAtATime) {
  auto const key = keys_->create("key").value().id;
  auto const id = image_with({{"__system__cmkid", key}});
  auto const refused = sharing_->add(owner_, id, {"b"});
  EXPECT_EQ(refused.error().fault, Fault::not_shareable);
  EXPECT_EQ(refused.error().detail, "The key of the image is not granted to the project.");
  sql("INSERT INTO key_grants VALUES ('" + key + "', 'b')");
  EXPECT_TRUE(sharing_->add(owner_, id, {"b"}));
  EXPECT_EQ(sharing_->add(owner_, id, {"c"}).error().fault, Fault::not_shareable);
  ASSERT_TRUE(keys_->set_enabled(key, false));
  sql("INSERT INTO key_grants VALUES ('" + key + "', 'c')");
  EXPECT_EQ(sharing_->add(owner_, id, {"c"}).error().detail, "The key of the image is disabled.");
  EXPECT_EQ(rows(id).size(), 1U);
}

TEST_F(SharingTest, WithoutAKeyServiceNoEncryptedImageIsShared) {
  store::NoKeys none;
  encryption_ = std::make_unique<Encryption>(none, *blobs_);
  build({}, {});
  EXPECT_EQ(share(owner_, image_with({{"__system__cmkid", "k"}}), {{"b"}}),
            (Failures{{0, Fault::no_key_service}}));
  EXPECT_EQ(share(owner_, image(), {{"b"}}), Failures{});
}

TEST_F(SharingTest, TheOwnerIsNoMember) {
  directory_.unknown = {"owner"};
  EXPECT_EQ(share(admin_, image(), {{"owner"}, {"b"}}), (Failures{{0, Fault::share_with_self}}));
}

TEST_F(SharingTest, AnUnknownProjectFailsAlone) {
  directory_.unknown = {"nobody"};
  auto const id = image();
  EXPECT_EQ(share(owner_, id, {{"b"}, {"nobody"}, {"c"}}), (Failures{{1, Fault::project_unknown}}));
  EXPECT_EQ(rows(id).size(), 2U);
  EXPECT_EQ(directory_.questions, 3);
}

TEST_F(SharingTest, AnIdentityThatDoesNotAnswerFailsThePairs) {
  directory_.fault = Fault::identity_unavailable;
  EXPECT_EQ(share(owner_, image(), {{"b"}}), (Failures{{0, Fault::identity_unavailable}}));
}

TEST_F(SharingTest, AnOutageOfTheDatabaseIsNoFaultOfAPair) {
  directory_.fault = Fault::unavailable;
  std::vector<ProjectId> const projects{{"b"}};
  auto const checked = sharing_->check_projects(projects, never);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().fault, Fault::unavailable);
}

// A Keystone that hung was asked about each of 256 projects, which took its timeout 256 times.
TEST_F(SharingTest, AnIdentityThatDoesNotAnswerIsAskedNoMore) {
  std::vector<ProjectId> const projects{{"b"}, {"c"}, {"d"}, {"e"}};
  directory_.while_asked = [&] {
    if (directory_.questions == 2) directory_.fault = Fault::identity_unavailable;
  };
  Fault const silent = Fault::identity_unavailable;
  EXPECT_EQ(sharing_->check_projects(projects, never).value(),
            (ProjectFaults{std::nullopt, silent, silent, silent}));
  EXPECT_EQ(directory_.questions, 2);
}

TEST_F(SharingTest, AnIdentityElsewhereIsAskedAboutSeveralProjectsAtOnce) {
  std::vector<ProjectId> const projects{{"b"}, {"c"}, {"d"}, {"e"}, {"f"}};
  directory_.at_once = 3;
  directory_.unknown = {"d"};
  std::mutex mutex;
  std::condition_variable came;
  int asked = 0;
  directory_.while_asked = [&] {
    std::unique_lock lock(mutex);
    ++asked;
    came.notify_all();
    EXPECT_TRUE(came.wait_for(lock, std::chrono::seconds(20), [&] { return asked >= 3; }));
  };
  EXPECT_EQ(sharing_->check_projects(projects, never).value(),
            (ProjectFaults{std::nullopt, std::nullopt, Fault::project_unknown, std::nullopt,
                           std::nullopt}));
  EXPECT_EQ(directory_.questions, 5);
}

TEST_F(SharingTest, WhoStopsMeanwhileWaitsForOneAnswerAtMost) {
  std::vector<ProjectId> const projects{{"b"}, {"c"}, {"d"}};
  auto const checked =
      sharing_->check_projects(projects, [&] { return directory_.questions == 1; });
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().fault, Fault::unavailable);
  EXPECT_EQ(directory_.questions, 1);
}

TEST_F(SharingTest, SharingAgainKeepsWhatIsAndAsksTheRejectedOnceMore) {
  auto const id = image();
  EXPECT_EQ(share(owner_, id, {{"b"}, {"c"}, {"d"}}), Failures{});
  EXPECT_EQ(answer(b_, id, {"b"}, MemberStatus::accepted), Failures{});
  EXPECT_EQ(answer(caller_of("c"), id, {"c"}, MemberStatus::rejected), Failures{});
  clock_.advance(5 * kMicrosecondsPerSecond);
  EXPECT_EQ(share(owner_, id, {{"b"}, {"c"}, {"d"}}), Failures{});
  EXPECT_EQ(rows(id), (std::map<std::string, MemberStatus>{{"b", MemberStatus::accepted},
                                                           {"c", MemberStatus::pending},
                                                           {"d", MemberStatus::pending}}));
  EXPECT_EQ(stored(id).member_count, 3);
  EXPECT_EQ(sharing_->get(owner_, id, {"c"})->updated_at, kStart + 5 * kMicrosecondsPerSecond);
  EXPECT_EQ(sharing_->get(owner_, id, {"d"})->updated_at, kStart);
}

TEST_F(SharingTest, The257thMemberFailsAndThoseBeforeItStay) {
  auto const id = image();
  std::vector<ProjectId> projects;
  for (int i = 0; i < 258; ++i)
    projects.push_back({"p" + std::to_string(i)});
  EXPECT_EQ(share(owner_, id, projects),
            (Failures{{256, Fault::member_limit}, {257, Fault::member_limit}}));
  EXPECT_EQ(stored(id).member_count, 256);
  EXPECT_EQ(share(owner_, id, {{"p0"}}), Failures{}) << "a member is no further one";
  EXPECT_EQ(sharing_->add(owner_, id, {"more"}).error().fault, Fault::member_limit);
}

TEST_F(SharingTest, AFullServerImageHasTenMembers) {
  auto const id = image_with({{"__whole_image", "true"}, {"__backup_id", "x"}});
  std::vector<ProjectId> projects;
  for (int i = 0; i < 11; ++i)
    projects.push_back({"p" + std::to_string(i)});
  EXPECT_EQ(share(owner_, id, projects), (Failures{{10, Fault::member_limit}}));
}

TEST_F(SharingTest, TheQuotaCountsAcceptedImagesAndLimitsTheFirstMember) {
  build({}, {.image_shared = 1});
  auto const first = image();
  auto const second = image();
  EXPECT_EQ(share(owner_, first, {{"b"}}), Failures{});
  EXPECT_EQ(share(owner_, second, {{"b"}}), Failures{}) << "nobody has accepted the first";
  EXPECT_EQ(unshare(owner_, second, {{"b"}}), Failures{});
  EXPECT_EQ(answer(b_, first, {"b"}, MemberStatus::accepted), Failures{});
  EXPECT_EQ(share(owner_, second, {{"b"}, {"c"}}),
            (Failures{{0, Fault::sharing_quota}, {1, Fault::sharing_quota}}));
  EXPECT_EQ(sharing_->add(owner_, second, {"b"}).error().fault, Fault::sharing_quota);
  EXPECT_EQ(share(owner_, first, {{"c"}}), Failures{});
  sql("INSERT INTO quotas VALUES ('owner', 'image_shared', 2)");
  EXPECT_EQ(share(owner_, second, {{"b"}}), Failures{});
  auto const usage = quotas_->usage(owner_.project).value();
  EXPECT_EQ(usage[0].used, 2);
  EXPECT_EQ(usage[1].used, 1);
  EXPECT_EQ(usage[1].quota, 2);
  EXPECT_EQ(usage[2].used, 2);
}

// Promotion, demotion, removal (ims-api 3.1, 5.2).

TEST_F(SharingTest, TheFirstMemberSharesAPrivateImageAndTheLastRemovalTakesItBack) {
  auto const id = image();
  share(owner_, id, {{"b"}, {"c"}});
  EXPECT_EQ(stored(id).visibility, Visibility::shared);
  EXPECT_TRUE(stored(id).auto_shared);
  EXPECT_EQ(stored(id).updated_at, kStart);
  EXPECT_EQ(unshare(owner_, id, {{"b"}, {"stranger"}}), Failures{});
  EXPECT_EQ(stored(id).visibility, Visibility::shared);
  EXPECT_TRUE(sharing_->remove(owner_, id, {"c"}));
  EXPECT_EQ(stored(id).visibility, Visibility::private_);
  EXPECT_FALSE(stored(id).auto_shared);
  EXPECT_EQ(stored(id).member_count, 0);
}

TEST_F(SharingTest, WhatAUserMadeSharedStaysShared) {
  auto const id = image([](model::Image& made) { made.visibility = Visibility::shared; });
  share(owner_, id, {{"b"}});
  unshare(owner_, id, {{"b"}});
  EXPECT_EQ(stored(id).visibility, Visibility::shared);
}

TEST_F(SharingTest, ACommunityImageTakesMembersInBulkAndStaysOne) {
  auto const id = image([](model::Image& made) { made.visibility = Visibility::community; });
  EXPECT_EQ(share(owner_, id, {{"b"}}), Failures{});
  EXPECT_EQ(stored(id).visibility, Visibility::community);
}

TEST_F(SharingTest, RemovalAsksForTheOwnerAndTakesAnyStatus) {
  auto const id = image();
  share(owner_, id, {{"b"}});
  EXPECT_EQ(unshare(b_, id, {{"b"}}), (Failures{{0, Fault::not_image_owner}}));
  EXPECT_EQ(unshare(caller_of("c"), id, {{"b"}}), (Failures{{0, Fault::image_not_found}}));
  sql("UPDATE images SET status = 'deactivated'");
  EXPECT_EQ(unshare(owner_, id, {{"b"}}), Failures{});
  EXPECT_TRUE(rows(id).empty());
  auto const open = image([](model::Image& made) { made.visibility = Visibility::public_; });
  EXPECT_EQ(unshare(owner_, open, {{"b"}}), (Failures{{0, Fault::image_is_public}}));
}

// Answers (ims-api 5.3).

TEST_F(SharingTest, AnswersInBulk) {
  auto const id = image();
  auto const community = image([](model::Image& made) { made.visibility = Visibility::community; });
  EXPECT_EQ(answer(b_, id, {"b"}, MemberStatus::accepted), (Failures{{0, Fault::image_not_found}}));
  EXPECT_EQ(answer(b_, community, {"b"}, MemberStatus::accepted),
            (Failures{{0, Fault::member_not_found}}));
  auto const server = image_with({{"__whole_image", "true"}, {"__backup_id", "x"}});
  share(owner_, server, {{"b"}});
  EXPECT_EQ(answer(b_, server, {"b"}, MemberStatus::accepted),
            (Failures{{0, Fault::vault_missing}}));
  EXPECT_EQ(answer(b_, server, {"b"}, MemberStatus::rejected), Failures{});
  EXPECT_EQ(rows(server).at("b"), MemberStatus::rejected);
}

// One member at a time (glance-v2 4).

// Decision L7 over ims-api 5.3: an answer never tells that an image exists.
TEST_F(SharingTest, AMemberLeftOverDoesNotAnswerForAnImageItDoesNotSee) {
  auto const id = image([](model::Image& made) { made.visibility = Visibility::shared; });
  EXPECT_EQ(share(owner_, id, {{"b"}}), Failures{});
  sql("UPDATE images SET visibility = 'private'");
  auto const accepted = MemberStatus::accepted;
  for (auto const& caller : {b_, caller_of("c")}) {
    EXPECT_EQ(answer(caller, id, caller.project, accepted),
              (Failures{{0, Fault::image_not_found}}));
    EXPECT_EQ(sharing_->answer(caller, id, caller.project, accepted).error().fault,
              Fault::image_not_found);
  }
  EXPECT_EQ(rows(id).at("b"), MemberStatus::pending);
  EXPECT_EQ(answer(admin_, id, {"b"}, accepted), Failures{});
  EXPECT_EQ(rows(id).at("b"), accepted);
}

TEST_F(SharingTest, OneMemberAtATime) {
  auto const id = image();
  auto const member = sharing_->add(owner_, id, {"b"}).value();
  EXPECT_EQ(member.status, MemberStatus::pending);
  EXPECT_EQ(sharing_->add(owner_, id, {"b"}).error().fault, Fault::member_exists);
  EXPECT_EQ(sharing_->add(owner_, id, {"owner"}).error().fault, Fault::share_with_self);
  EXPECT_EQ(sharing_->add(b_, id, {"c"}).error().fault, Fault::forbidden);
  EXPECT_EQ(sharing_->add(caller_of("c"), id, {"c"}).error().fault, Fault::image_not_found);
  EXPECT_EQ(sharing_->add(caller_of("owner", {"reader"}), id, {"c"}).error().fault,
            Fault::forbidden);
  auto const locked = image_with({{"__system__cmkid", "ims/default"}});
  EXPECT_EQ(sharing_->add(owner_, locked, {"b"}).error().fault, Fault::not_shareable);
  for (auto const visibility : {Visibility::public_, Visibility::community}) {
    auto const open = image([&](model::Image& made) { made.visibility = visibility; });
    auto const failure = sharing_->add(owner_, open, {"b"}).error();
    EXPECT_EQ(failure.fault, Fault::not_shareable);
    EXPECT_NE(failure.detail.find(name_of(visibility)), std::string::npos);
    EXPECT_EQ(sharing_->list(owner_, open).error().fault, Fault::not_shareable);
  }
}

TEST_F(SharingTest, TheGlanceProfileRefusesMembersOfPrivateImages) {
  build({.private_may_have_members = false}, {});
  auto const id = image();
  EXPECT_EQ(sharing_->add(owner_, id, {"b"}).error().fault, Fault::not_shareable);
  EXPECT_EQ(share(owner_, id, {{"b"}}), Failures{}) << "bulk sharing promotes in any profile";
}

TEST_F(SharingTest, AMemberSeesItselfAlone) {
  auto const id = image();
  share(owner_, id, {{"b"}, {"c"}});
  EXPECT_EQ(sharing_->list(owner_, id)->size(), 2U);
  ASSERT_EQ(sharing_->list(b_, id)->size(), 1U);
  EXPECT_EQ(sharing_->list(b_, id)->front().project.text, "b");
  EXPECT_EQ(sharing_->visible_members(b_, id)->size(), 1U);
  EXPECT_EQ(sharing_->get(b_, id, {"c"}).error().fault, Fault::member_not_found);
  EXPECT_EQ(sharing_->list(caller_of("d"), id).error().fault, Fault::image_not_found);
  EXPECT_EQ(sharing_->visible_members(caller_of("d"), id).error().fault, Fault::image_not_found);
}

TEST_F(SharingTest, OnlyTheMemberOrAnAdministratorAnswers) {
  auto const id = image();
  share(owner_, id, {{"b"}, {"c"}});
  auto const accepted = MemberStatus::accepted;
  EXPECT_EQ(sharing_->answer(owner_, id, {"b"}, accepted).error().fault, Fault::forbidden);
  EXPECT_EQ(sharing_->answer(b_, id, {"c"}, accepted).error().fault, Fault::member_not_found);
  EXPECT_EQ(sharing_->answer(caller_of("b", {"reader"}), id, {"b"}, accepted).error().fault,
            Fault::forbidden);
  EXPECT_EQ(sharing_->answer(b_, id, {"b"}, accepted)->status, accepted);
  EXPECT_EQ(sharing_->answer(admin_, id, {"c"}, accepted)->status, accepted);
  EXPECT_EQ(sharing_->remove(b_, id, {"b"}).error().fault, Fault::forbidden);
  EXPECT_EQ(sharing_->remove(owner_, id, {"d"}).error().fault, Fault::member_not_found);
}

TEST_F(SharingTest, AtLeastOneImageMustBeVisible) {
  auto const own = image();
  std::vector<ImageId> const some{{new_uuid()}, own};
  EXPECT_TRUE(sharing_->require_some_visible(owner_, some));
  EXPECT_EQ(sharing_->require_some_visible(b_, some).error().fault, Fault::image_not_found);
}

TEST_F(SharingTest, EveryPairIsInTheTrail) {
  auto const id = image();
  directory_.unknown = {"x"};
  share(owner_, id, {{"b"}, {"x"}});
  EXPECT_TRUE(database_->write([](store::Connection& connection) {
    return store::Audit(connection).claim("test", {}, {});
  }));
  auto const outbox = database_->read(
      [](store::Connection& connection) { return store::Audit(connection).claimed("test", 10); });
  ASSERT_EQ(outbox->size(), 1U);
  EXPECT_EQ(outbox->front().targets,
            R"([{"project_id":"b"},{"project_id":"x","fault":"project_unknown","detail":""}])");
}

TEST_F(SharingTest, TheLimitIsExactUnderConcurrency) {
  auto const id = image();
  std::atomic<int> added{0};
  std::atomic<int> duplicates{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        auto const made = sharing_->add(owner_, id, {"p" + std::to_string(i * 6 + t)});
        if (made) ++added;
        if (!sharing_->add(owner_, id, {"same"})) ++duplicates;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(rows(id).size(), 256U);
  EXPECT_EQ(stored(id).member_count, 256);
  EXPECT_EQ(added, 255);
  EXPECT_EQ(duplicates, 299);
}

} // namespace
} // namespace vitrine::service
