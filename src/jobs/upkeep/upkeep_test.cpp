#include "jobs/house_test.hpp"
#include "jobs/upkeep/audit_export.hpp"
#include "jobs/upkeep/periodic.hpp"
#include "jobs/upkeep/upkeep.hpp"
#include "service/image_data_test.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"

#include <fstream>
#include <latch>
#include <set>
#include <sstream>

namespace vitrine::jobs {
namespace {

AuditReason reason(Fault fault, bool in_job) {
  if (!in_job) return {415, "IMG.0057"};
  return fault == Fault::project_unknown ? AuditReason{400, "IMG.0108"} : AuditReason{500, "?"};
}

class AuditExportTest : public testing::Test {
protected:
  std::string file() const { return (house_.path / "audit.jsonl").string(); }
  std::unique_ptr<AuditExport> open() { return open(house_); }
  std::unique_ptr<AuditExport> open(House& house, std::string const& holder = "one") const {
    return AuditExport::open(*house.database, house.clock,
                             {.path = file(), .holder = holder, .reason = reason})
        .value();
  }
  void share(int images) {
    share(house_, images);
    // So that the export has only to read, write its file and forget.
    EXPECT_TRUE(house_.real->write([&](store::Connection& connection) {
      auto const now = house_.clock.now();
      return store::Audit(connection).claim("one", now, now);
    }));
  }
  static void share(House& house, int images, int first = 0) {
    PairArguments arguments{.images = {}, .projects = {{"project-0"}, {"project-1"}, {"nobody"}}};
    for (int i = 0; i < images; ++i)
      arguments.images.push_back(house.image(first + i));
    house.submit(kAddMembers, arguments);
    EXPECT_TRUE(house.engine->run_next(model::JobLane::quick).value());
  }
  static std::string pending(House& house) {
    return house.rows("SELECT COUNT(*) FROM audit_outbox", 1);
  }
  static std::vector<std::string> lines(std::string const& path) {
    std::ifstream in(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);)
      out.push_back(line);
    return out;
  }

  House house_;
};

TEST_F(AuditExportTest, EveryPairIsALineWithItsOutcome) {
  share(1);
  // The first row tells of the submission.
  auto const id = house_.rows("SELECT id FROM audit_outbox ORDER BY sequence", 1).substr(34, 32);
  EXPECT_TRUE(open()->export_pending());
  auto found = lines(file());
  ASSERT_EQ(found.size(), 4U);
  found.erase(found.begin());
  EXPECT_TRUE(found[0].starts_with(
      R"({"id":")" + id +
      R"(-0","outcome":"success","member":"project-0",)"
      R"("observer":{"id":"one","typeURI":"service/storage/image"},)"
      R"("typeURI":"http://schemas.dmtf.org/cloud/audit/1.0/event","eventType":"activity",)"
      R"("eventTime":"2023-11-14T22:13:20.000Z","event_type":"image.member.create",)"
      R"("name":"addMember")"))
      << found[0];
  EXPECT_TRUE(found[2].starts_with(R"({"id":")" + id + R"(-2",)")) << found[2];
  EXPECT_NE(found[2].find(R"("outcome":"failure","reason":{"reasonType":"HTTP","reasonCode":"400",)"
                          R"("policyType":"IMS","policyId":"IMG.0108"},"member":"nobody")"),
            std::string::npos)
      << found[2];
  EXPECT_EQ(house_.rows("SELECT sequence FROM audit_outbox", 1), "");
}

TEST_F(AuditExportTest, AJobIsPendingInOneEventWhateverItsSize) {
  auto const arguments = house_.pairs(12, 250);
  auto const id = house_.submit(kRemoveMembers, arguments);
  EXPECT_TRUE(open()->export_pending());
  auto const found = lines(file());
  ASSERT_EQ(found.size(), 1U);
  std::string images;
  std::string projects;
  for (std::size_t i = 0; i < 10; ++i) {
    images += (i == 0 ? "\"" : ",\"") + arguments.images[i].text + "\"";
    projects += (i == 0 ? "\"" : ",\"") + arguments.projects[i].text + "\"";
  }
  EXPECT_NE(found[0].find(R"("outcome":"pending","observer")"), std::string::npos) << found[0];
  EXPECT_NE(found[0].find(R"("event_type":"image.member.delete","name":"deleteMember")"),
            std::string::npos)
      << found[0];
  EXPECT_NE(found[0].find(R"("target":{"id":")" + id.text +
                          R"(","typeURI":"data/workload/job","images":[)" + images +
                          R"(],"image_count":12,"projects":[)" + projects +
                          R"(],"project_count":250},"job_id":")" + id.text + R"("})"),
            std::string::npos)
      << found[0];
}

TEST_F(AuditExportTest, CutAtAnyByteItGoesOnWithoutGapOrRepetition) {
  share(2);
  house_.database->writes_left = 0; // written, but not forgotten
  EXPECT_FALSE(open()->export_pending());
  std::stringstream whole;
  whole << std::ifstream(file()).rdbuf();
  auto const text = whole.str();
  ASSERT_EQ(lines(file()).size(), 7U);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    std::ofstream(file(), std::ios::trunc) << text.substr(0, size);
    house_.database->writes_left = 0;
    (void)open()->export_pending();
    std::stringstream again;
    again << std::ifstream(file()).rdbuf();
    ASSERT_EQ(again.str(), text) << "cut after " << size << " bytes";
  }
  house_.database->writes_left = 100;
  EXPECT_TRUE(open()->export_pending());
  EXPECT_EQ(lines(file()).size(), 7U);
  EXPECT_EQ(house_.rows("SELECT sequence FROM audit_outbox", 1), "");
}

TEST_F(AuditExportTest, AMovedFileIsFollowedByANewOne) {
  share(1);
  auto const audit = open();
  EXPECT_TRUE(audit->export_pending());
  std::filesystem::rename(file(), file() + ".1");
  audit->reopen();
  auto const arguments = PairArguments{.images = {house_.image(9)}, .projects = {{"p"}}};
  house_.submit(kAddMembers, arguments);
  EXPECT_TRUE(house_.engine->run_next(model::JobLane::quick).value());
  EXPECT_TRUE(audit->export_pending());
  EXPECT_EQ(lines(file() + ".1").size(), 4U);
  EXPECT_EQ(lines(file()).size(), 2U);
}

TEST_F(AuditExportTest, AFileThatCannotBeOpenedAnewIsNoReasonToStop) {
  auto const directory = house_.path / "trail";
  std::filesystem::create_directory(directory);
  auto const path = (directory / "audit.jsonl").string();
  auto const audit = AuditExport::open(*house_.database, house_.clock,
                                       {.path = path, .holder = "one", .reason = reason})
                         .value();
  std::filesystem::rename(directory, house_.path / "moved");
  audit->reopen();
  share(1);
  for (int i = 0; i < 2; ++i)
    EXPECT_NE(audit->export_pending().error().detail.find("cannot open"), std::string::npos);
  EXPECT_EQ(lines(house_.path / "moved" / "audit.jsonl").size(), 4U);
  EXPECT_EQ(pending(house_), "0|\n");
  std::filesystem::create_directory(directory);
  EXPECT_TRUE(audit->export_pending());
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(AuditExportTest, AnotherFileIsLeftAlone) {
  share(1);
  EXPECT_TRUE(open()->export_pending());
  auto const event = lines(file()).front();
  for (std::string const& strange : {
           std::string("not ours\n"),
           std::string("{\"id\":\"x-y\"}\n"),
           std::string("\n"),
           std::string("precious text without newline"),
           std::string("{\"id\":\"of another kind\""),
           std::string("{\"id\":\"0123456789abcdef\""),
           std::string("line one\nline two\npartial"),
           std::string("{\"id\":\"order-17\"}\n{\"id\":\"order-18"),
           event + "\nline two\n{\"id\":\"",
           std::string(3 << 20, 'x'),
           std::string(3 << 20, 'x') + "\npartial",
       }) {
    std::ofstream(file(), std::ios::trunc) << strange;
    auto const opened = AuditExport::open(*house_.database, house_.clock,
                                          {.path = file(), .holder = "one", .reason = reason});
    ASSERT_FALSE(opened) << strange.substr(0, 60);
    EXPECT_EQ(opened.error().fault, Fault::unavailable);
    EXPECT_EQ(opened.error().detail.find(file()), 0U) << opened.error().detail;
    std::stringstream after;
    after << std::ifstream(file()).rdbuf();
    EXPECT_TRUE(after.str() == strange) << strange.substr(0, 60);
  }
}

// So it is when the database is new, or an older one that was put back.
TEST_F(AuditExportTest, AFileThatIsAheadOfTheDatabaseIsGoneOnWith) {
  share(5);
  EXPECT_TRUE(open()->export_pending());
  House other;
  share(other, 2);
  EXPECT_TRUE(open(other)->export_pending());
  auto const found = lines(file());
  EXPECT_EQ(found.size(), 23U);
  EXPECT_EQ(pending(other), "0|\n");
  std::set<std::string> ids;
  for (auto const& line : found)
    ids.insert(line.substr(0, line.find(',')));
  EXPECT_EQ(ids.size(), found.size());
}

TEST_F(AuditExportTest, AfterItsDeadlineItLeavesTheRest) {
  share(40);
  auto const audit = open();
  audit->end_by(std::chrono::steady_clock::now());
  EXPECT_TRUE(audit->export_pending());
  EXPECT_EQ(lines(file()).size(), 46U);
  EXPECT_EQ(pending(house_), "25|\n");
  EXPECT_TRUE(open()->export_pending());
  EXPECT_EQ(lines(file()).size(), 121U);
}

TEST_F(AuditExportTest, OfTwoServersOneWritesAnEvent) {
  if (store::chosen_engine() != store::TestEngine::postgres) GTEST_SKIP() << "SQLite has one";
  auto const path = [&](std::string const& server) { return (house_.path / server).string(); };
  auto const open_as = [&](std::string const& server) {
    return AuditExport::open(*house_.database, house_.clock,
                             {.path = path(server), .holder = server, .reason = reason})
        .value();
  };
  auto const one = open_as("one");
  auto const two = open_as("two");
  share(1); // claimed by `one`, which then falls silent
  EXPECT_TRUE(two->export_pending());
  EXPECT_EQ(lines(path("two")).size(), 4U) << "that claim was for no time";
  share(house_, 1, 1);
  house_.database->writes_left = 1; // claimed and written, not forgotten
  EXPECT_FALSE(one->export_pending());
  house_.database->writes_left = 1000;
  EXPECT_TRUE(two->export_pending());
  EXPECT_EQ(lines(path("two")).size(), 4U);
  EXPECT_TRUE(open_as("one")->export_pending());
  EXPECT_EQ(lines(path("one")).size(), 4U);
  EXPECT_EQ(pending(house_), "0|\n");
  share(house_, 1, 2);
  house_.database->writes_left = 1;
  EXPECT_FALSE(one->export_pending());
  house_.database->writes_left = 1000;
  house_.clock.advance(600 * kMicrosecondsPerSecond);
  EXPECT_TRUE(two->export_pending());
  EXPECT_EQ(pending(house_), "0|\n");
}

TEST(UpkeepTest, OldJobsGoWithTheirItems) {
  House house;
  auto const arguments = house.pairs(1, 1);
  auto const old = house.submit(kAddMembers, arguments);
  EXPECT_TRUE(house.engine->run_next(model::JobLane::quick).value());
  house.clock.advance(86'400 * kMicrosecondsPerSecond);
  auto const young = house.submit(kRemoveMembers, arguments);
  EXPECT_TRUE(house.engine->run_next(model::JobLane::quick).value());
  auto const open = house.submit(kAddMembers, arguments);
  house.clock.advance(29 * 86'400 * kMicrosecondsPerSecond + 1);
  EXPECT_EQ(remove_old_jobs(*house.database, house.clock, 30).value(), 1);
  EXPECT_EQ(house.submitter->report(house.owner, old).error().fault, Fault::job_not_found);
  EXPECT_EQ(house.report(young).job.status, model::JobStatus::success);
  EXPECT_EQ(house.report(open).job.status, model::JobStatus::init);
  EXPECT_EQ(house.rows("SELECT COUNT(*) FROM job_items", 1), "1|\n");
}

TEST(UpkeepTest, BytesWithoutAnImageAreRemoved) {
  House house;
  auto const blobs = store::FilesystemBlobs::open(house.path / "blobs").value();
  for (std::string const id :
       {"11111111111111111111111111111111", "22222222222222222222222222222222"}) {
    EXPECT_TRUE(blobs->create({id}, {}).value()->commit());
    EXPECT_TRUE(house.real->write([&](store::Connection& connection) -> Result<> {
      store::BlobIndex index(connection);
      TRY(index.insert({id}, 0, "hash", kTestStart));
      if (id[0] == '1') TRY(index.drop_reference({id}));
      return {};
    }));
  }
  auto const remove = [&](std::string_view key) {
    return remove_unused_blobs(*house.database, *blobs, key, house.clock).value();
  };
  EXPECT_EQ(remove("fast"), 0) << "another store";
  EXPECT_EQ(remove(""), 1);
  EXPECT_EQ(remove(""), 0);
  std::vector<std::string> left;
  EXPECT_TRUE(blobs->list([&](store::StoredBlob const& blob) { left.push_back(blob.id.text); }));
  EXPECT_EQ(left, std::vector<std::string>{"22222222222222222222222222222222"});
}

TEST(UpkeepTest, BytesThatTheStoreDoesNotRemoveStayKnownAndAreTriedAgainAfterTheOthers) {
  House house;
  auto const disk = store::FilesystemBlobs::open(house.path / "blobs").value();
  service::FaultyBlobs blobs(*disk);
  auto const first = BlobId{"11111111111111111111111111111111"};
  auto const second = BlobId{"22222222222222222222222222222222"};
  for (auto const& id : {first, second}) {
    EXPECT_TRUE(disk->create(id, {}).value()->commit());
    EXPECT_TRUE(house.real->write([&](store::Connection& connection) -> Result<> {
      store::BlobIndex index(connection);
      TRY(index.insert(id, 0, id.text, house.clock.now()));
      return index.drop_reference(id);
    }));
    house.clock.advance(1);
  }
  auto const remove = [&] { return remove_unused_blobs(*house.database, blobs, "", house.clock); };
  auto const fails = [&] {
    auto const removed = remove();
    return !removed && removed.error().fault == Fault::unavailable;
  };
  auto const rows = "SELECT id FROM blobs WHERE hash_value = '' OR refs > 0";
  blobs.stuck = {first};
  EXPECT_TRUE(fails());
  EXPECT_EQ(blobs.removals, 1) << "a store that is out is not asked for each";
  EXPECT_EQ(house.rows(rows, 1), first.text + "|\n");
  EXPECT_TRUE(fails());
  EXPECT_EQ(house.rows("SELECT id FROM blobs", 1), first.text + "|\n") << "the other one went";
  blobs.stuck.clear();
  EXPECT_EQ(remove().value(), 1);
  EXPECT_EQ(blobs.removals, 4);
  EXPECT_EQ(house.rows("SELECT id FROM blobs", 1), "");
  EXPECT_TRUE(disk->list([](store::StoredBlob const& blob) { ADD_FAILURE() << blob.id.text; }));
}

TEST(PeriodicTest, TheDutyMayEndWithItsLastRun) {
  std::atomic<int> runs{0};
  std::latch began(1);
  auto const duty = [&]() -> Result<> {
    if (runs++ == 0) began.count_down();
    return {};
  };
  Periodic periodic("duty", std::chrono::hours(1), duty, Periodic::AtEnd::no_more);
  began.wait();
  periodic.stop();
  EXPECT_EQ(runs, 1);
}

TEST(PeriodicTest, TheDutyRunsAtOnceAndOnceMoreAtTheEnd) {
  std::atomic<int> runs{0};
  std::latch began(1);
  Periodic periodic("duty", std::chrono::hours(1), [&]() -> Result<> {
    if (runs++ == 0) began.count_down();
    return error(Fault::unavailable, "logged, then forgotten");
  });
  began.wait();
  periodic.stop();
  EXPECT_EQ(runs, 2);
}

} // namespace
} // namespace vitrine::jobs
