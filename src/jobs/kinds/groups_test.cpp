#include "jobs/house_test.hpp"
#include "jobs/kinds/groups.hpp"

namespace vitrine::jobs {
namespace {

TEST(GroupsTest, AnImageThatCannotBeStoredFailsAlone) {
  House house;
  auto const arguments = house.pairs(3, 2);
  auto const bad = arguments.images[1];
  Prepare const prepare = [&](JobContext const&, PairArguments const&) -> Apply {
    return [&](store::Connection&, service::KeyStates&, service::Batch const&,
               ImageId const& image) -> Result<service::PairFailures> {
      if (image == bad) return error(Fault::internal);
      return service::PairFailures{};
    };
  };
  std::vector<JobKind> kinds{
      groups_kind(kAddMembers, house.services(), Fault::member_not_stored, prepare)};
  Engine engine(*house.database, house.clock, house.bell, kinds, house.metrics, {});
  auto const id = house.submit(kAddMembers, arguments);
  EXPECT_TRUE(engine.run_next(model::JobLane::quick).value());
  auto const report = house.report(id);
  EXPECT_EQ(report.job.failure->fault, Fault::member_not_stored);
  ASSERT_EQ(report.failures.size(), 3U);
  EXPECT_TRUE(report.failures[0].empty());
  EXPECT_EQ(report.failures[1].size(), 2U);
  EXPECT_TRUE(report.failures[2].empty());
  EXPECT_EQ(house.rows("SELECT targets FROM audit_outbox ORDER BY sequence", 1),
            "[{\"outcome\":\"pending\"}]|\n"
            "[{\"project_id\":\"project-0\",\"fault\":\"member_not_stored\",\"detail\":\"\"},"
            "{\"project_id\":\"project-1\",\"fault\":\"member_not_stored\",\"detail\":\"\"}]|\n");
}

TEST(PairsTest, ArgumentsAndFailuresComeBackAsTheyWere) {
  PairArguments const arguments{
      .images = {{"i"}, {"j"}}, .projects = {{"p\""}}, .status = model::MemberStatus::accepted};
  auto const back = PairArguments::from_json(arguments.to_json()).value();
  EXPECT_EQ(back.images, arguments.images);
  EXPECT_EQ(back.projects, arguments.projects);
  EXPECT_EQ(back.status, arguments.status);
  EXPECT_EQ(PairArguments::from_json("{}").error().fault, Fault::internal);
  auto const text = failures_to_json({{0, Fault::member_limit}, {7, Fault::sharing_quota}});
  EXPECT_EQ(text, R"([[0,"member_limit"],[7,"sharing_quota"]])");
  auto const failures = failures_from_json(text).value();
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[1].index, 7U);
  EXPECT_EQ(failures[1].fault, Fault::sharing_quota);
}

} // namespace
} // namespace vitrine::jobs
