#include "jobs/house_test.hpp"
#include "jobs/upkeep/audit_export.hpp"
#include "jobs/upkeep/periodic.hpp"
#include "jobs/upkeep/upkeep.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"

#include <fstream>
#include <latch>
#include <sstream>

namespace vitrine::jobs {
namespace {

AuditReason reason(Fault fault) {
  return fault == Fault::project_unknown ? AuditReason{400, "IMG.0108"} : AuditReason{500, "?"};
}

class AuditExportTest : public testing::Test {
protected:
  std::string file() const { return (house_.path / "audit.jsonl").string(); }
  std::unique_ptr<AuditExport> open() {
    return AuditExport::open(*house_.database, file(), reason).value();
  }
  void share(int images) {
    auto arguments = house_.pairs(images, 2);
    arguments.projects.push_back({"nobody"});
    house_.submit(kAddMembers, arguments);
    EXPECT_TRUE(house_.engine->run_next().value());
    // So that the export has only to read, write its file and forget.
    EXPECT_TRUE(house_.real->write(
        [](store::Connection& connection) { return store::Audit(connection).number(); }));
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
  EXPECT_TRUE(open()->export_pending());
  auto const found = lines(file());
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[0].starts_with(
      R"({"id":"1-0","sequence":1,"pair":0,"outcome":"success","member":"project-0",)"
      R"("eventTime":"2023-11-14T22:13:20.000Z","eventType":"image.member.create",)"
      R"("name":"addMember")"))
      << found[0];
  EXPECT_NE(found[2].find(R"("outcome":"failure","reason":{"reasonType":"400",)"
                          R"("reasonCode":"IMG.0108"},"member":"nobody")"),
            std::string::npos)
      << found[2];
  EXPECT_EQ(house_.rows("SELECT sequence FROM audit_outbox", 1), "");
}

TEST_F(AuditExportTest, CutAtAnyByteItGoesOnWithoutGapOrRepetition) {
  share(2);
  auto const outbox = house_.rows("SELECT event, targets FROM audit_outbox ORDER BY 1", 2);
  house_.database->writes_left = 0; // written, but not forgotten
  EXPECT_FALSE(open()->export_pending());
  std::stringstream whole;
  whole << std::ifstream(file()).rdbuf();
  auto const text = whole.str();
  ASSERT_EQ(lines(file()).size(), 6U);
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
  EXPECT_EQ(lines(file()).size(), 6U);
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
  EXPECT_TRUE(house_.engine->run_next().value());
  EXPECT_TRUE(audit->export_pending());
  EXPECT_EQ(lines(file() + ".1").size(), 3U);
  EXPECT_EQ(lines(file()).size(), 1U);
}

TEST_F(AuditExportTest, AnotherFileIsLeftAlone) {
  std::ofstream(file()) << "not ours\n";
  EXPECT_EQ(AuditExport::open(*house_.database, file(), reason).error().fault, Fault::unavailable);
}

TEST(UpkeepTest, OldJobsGoWithTheirItems) {
  House house;
  auto const arguments = house.pairs(1, 1);
  auto const old = house.submit(kAddMembers, arguments);
  EXPECT_TRUE(house.engine->run_next().value());
  house.clock.advance(86'400 * kMicrosecondsPerSecond);
  auto const young = house.submit(kRemoveMembers, arguments);
  EXPECT_TRUE(house.engine->run_next().value());
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
  EXPECT_EQ(remove_unused_blobs(*house.database, *blobs).value(), 1);
  EXPECT_EQ(remove_unused_blobs(*house.database, *blobs).value(), 0);
  std::vector<std::string> left;
  EXPECT_TRUE(blobs->list([&](store::StoredBlob const& blob) { left.push_back(blob.id.text); }));
  EXPECT_EQ(left, std::vector<std::string>{"22222222222222222222222222222222"});
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
