#include "api/ims/error_catalogue.hpp"
#include "api/ims/tag_fields.hpp"
#include "api/ims/v1/job_body.hpp"
#include "api/kit/family.hpp"
#include "base/json.hpp"
#include "jobs/kinds/export_image.hpp"
#include "jobs/kinds/import_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::api::ims {
namespace {

using model::JobStatus;

jobs::JobReport report_of(std::string_view kind, JobStatus status) {
  jobs::JobReport report;
  report.job.id = {"0123456789abcdef0123456789abcdef"};
  report.job.kind = kind;
  report.job.status = status;
  report.job.total = 4;
  report.pairs.images = {{"i"}, {"j"}};
  report.pairs.projects = {{"p"}, {"q"}};
  return report;
}

constexpr Time kBegan{1'741'064'767'089'000}; // 2025-03-04T05:06:07.089Z

TEST(JobBodyTest, BeforeItBegins) {
  EXPECT_EQ(job_body(report_of(jobs::kAddMembers, JobStatus::init)),
            R"({"job_id":"0123456789abcdef0123456789abcdef","job_type":"imsAddImageMembersJob",)"
            R"("status":"INIT","begin_time":null,"end_time":null,"error_code":null,)"
            R"("fail_reason":null,"entities":{"results":[]}})");
}

TEST(JobBodyTest, WhileItRuns) {
  auto report = report_of(jobs::kAddMembers, JobStatus::running);
  report.job.began_at = kBegan;
  report.job.done = 2;
  report.failures = {{}};
  EXPECT_EQ(job_body(report),
            R"({"job_id":"0123456789abcdef0123456789abcdef","job_type":"imsAddImageMembersJob",)"
            R"("status":"RUNNING","begin_time":"2025-03-04T05:06:07.089Z","end_time":null,)"
            R"("error_code":null,"fail_reason":null,"entities":{"results":[],)"
            R"("process_percent":0.5,"current_task":"imsAddImageMembersJob"}})");
}

TEST(JobBodyTest, EveryPairInTheOrderOfTheRequestWithItsFailure) {
  auto report = report_of(jobs::kAddMembers, JobStatus::fail);
  report.job.began_at = kBegan;
  report.job.ended_at = kBegan + 223'000;
  report.job.failure = error(Fault::project_unknown);
  report.failures = {{{1, Fault::project_unknown}}, {}};
  EXPECT_EQ(job_body(report),
            R"({"job_id":"0123456789abcdef0123456789abcdef","job_type":"imsAddImageMembersJob",)"
            R"("status":"FAIL","begin_time":"2025-03-04T05:06:07.089Z",)"
            R"("end_time":"2025-03-04T05:06:07.312Z","error_code":"IMG.0108",)"
            R"("fail_reason":"The tenant ID was not found in the current region. )"
            R"j((image i, project q) (1 of 4 failed)","entities":{"results":[)j"
            R"({"image_id":"i","project_id":"p","status":"success"},)"
            R"({"image_id":"i","project_id":"q","status":"failed","error_code":"IMG.0108",)"
            R"("fail_reason":"The tenant ID was not found in the current region."},)"
            R"({"image_id":"j","project_id":"p","status":"success"},)"
            R"({"image_id":"j","project_id":"q","status":"success"}]}})");
}

TEST(JobBodyTest, ARemovalTellsOnlyWhatFailed) {
  auto report = report_of(jobs::kRemoveMembers, JobStatus::success);
  report.job.ended_at = kBegan;
  report.failures = {{}, {}};
  EXPECT_NE(job_body(report).find(R"("entities":{"results":[]})"), std::string::npos);
  report.failures = {{{1, Fault::image_is_public}}, {}};
  EXPECT_NE(job_body(report).find(R"({"results":[{"image_id":"i","project_id":"q",)"
                                  R"("status":"failed","error_code":"IMG.0089")"),
            std::string::npos);
}

TEST(JobBodyTest, IsJsonWhateverTheIdsHold) {
  auto report = report_of(jobs::kAddMembers, JobStatus::success);
  report.pairs.projects = {{"q\"\\"}};
  report.job.ended_at = kBegan;
  report.failures = {{}, {}};
  EXPECT_TRUE(json::parse(job_body(report)));
}

// The code of a job of that kind that failed like this, with its message.
std::string told_failure(std::string_view kind, Error const& why) {
  auto report = report_of(kind, JobStatus::fail);
  report.job.ended_at = kBegan;
  report.job.failure = why;
  auto const body = json::parse(job_body(report)).value().as_object();
  std::string out(json::view(body.at("error_code").as_string()));
  return out.append(": ").append(json::view(body.at("fail_reason").as_string()));
}

TEST(JobBodyTest, ARegisterHasACodeForWhatHasNone) {
  auto const full = error(Fault::store_full, "no space");
  EXPECT_EQ(told_failure(jobs::kRegisterImage, full),
            "IMG.1075: Failed to register the image file. (no space)");
  EXPECT_EQ(told_failure(jobs::kImportImage, full), "IMG.0061: Unknown system error. (no space)");
  EXPECT_EQ(told_failure(jobs::kRegisterImage, error(Fault::bucket_refused)),
            "IMG.0069: The specified bucket cannot be accessed.");
}

TEST(JobBodyTest, DataThatIsTooLargeIsNoRequestThatIs) {
  auto const large = error(Fault::too_large, "9 bytes");
  for (auto const kind : {jobs::kImportImage, jobs::kRegisterImage}) {
    EXPECT_EQ(told_failure(kind, large),
              "IMG.0059: The size of the image file exceeds the maximum allowed. (9 bytes)");
  }
  EXPECT_EQ(told_failure(jobs::kExportImage, large),
            "IMG.0160: Only images less than 128 GB can be exported. (9 bytes)");
}

TEST(ErrorCatalogueTest, EveryFailureHasACodeOfTheList) {
  EXPECT_EQ(catalogue().size(), 177U);
#define X(name, kind, text) EXPECT_FALSE(entry(Fault::name).message.empty()) << #name;
  VITRINE_FAULTS(X)
#undef X
  EXPECT_EQ(entry(Fault::image_not_found).code, "IMG.0144");
  EXPECT_EQ(entry(Fault::internal).code, "IMG.0061");
}

struct Expected {
  Fault fault;
  int status;
  std::string_view code;
};

TEST(ImsErrorsTest, StatusAndCodeOfEachFailure) {
  constexpr Expected kExpected[] = {
      {Fault::empty_body, 400, "IMG.0007"},        {Fault::invalid_body, 400, "IMG.0001"},
      {Fault::invalid_image_id, 400, "IMG.0066"},  {Fault::invalid_project_id, 400, "IMG.0067"},
      {Fault::share_with_self, 400, "IMG.0076"},   {Fault::project_mismatch, 400, "IMG.0030"},
      {Fault::not_offered, 400, "IMG.0105"},       {Fault::job_not_stored, 400, "IMG.0018"},
      {Fault::unauthenticated, 401, "IMG.0087"},   {Fault::forbidden, 403, "IMG.0026"},
      {Fault::image_not_found, 404, "IMG.0144"},   {Fault::job_not_found, 404, "IMG.0023"},
      {Fault::invalid_marker, 400, "IMG.0031"},    {Fault::too_large, 413, "IMG.0001"},
      {Fault::format_unwritable, 400, "IMG.0072"}, {Fault::conversion_failed, 500, "IMG.0072"},
      {Fault::image_unknown, 400, "IMG.0027"},     {Fault::tag_form, 400, "IMG.0115"},
      {Fault::tag_limit, 400, "IMG.0116"},         {Fault::tag_not_found, 404, "IMG.0115"},
      {Fault::unavailable, 503, "IMG.0061"},       {Fault::internal, 500, "IMG.0061"},
  };
  for (auto const& [fault, status, code] : kExpected) {
    auto const reply = ims_family.refuse(error(fault), {});
    EXPECT_EQ(reply.status, status) << name_of(fault);
    EXPECT_EQ(reply.body.find(std::string(code)), std::string_view(R"({"error":{"code":")").size())
        << reply.body;
  }
  EXPECT_EQ(ims_family.refuse(error(Fault::image_not_found, "x"), {}).body,
            R"j({"error":{"code":"IMG.0144","message":"The image does not exist. (x)"}})j");
}

// The strings of a new image, or the name of the fault.
std::string told_tags(std::string_view body) {
  struct Fields {
    std::optional<TagTexts> tags;
    std::optional<TagList> image_tags;
  } fields;
  auto const object = json::parse(body).value().as_object();
  EXPECT_TRUE(optional("tags", &Fields::tags, "").read(fields, object, {}));
  EXPECT_TRUE(optional("image_tags", &Fields::image_tags, "").read(fields, object, {}));
  auto const tags = new_image_tags(fields.tags, fields.image_tags);
  if (!tags) return std::string(name_of(tags.error().fault));
  std::string out;
  for (auto const& tag : *tags)
    out += tag + ";";
  return out;
}

TEST(NewImageTagsTest, OneOfTwoFieldsTells) {
  EXPECT_EQ(told_tags(R"({})"), "");
  EXPECT_EQ(told_tags(R"({"tags":["env.prod","a=b","golden"],"image_tags":[]})"),
            "env=prod;a=b;golden;");
  EXPECT_EQ(told_tags(R"({"tags":null,"image_tags":[{"key":"a.b","value":"c"},{"key":"d"}]})"),
            "a.b=c;d;");
  EXPECT_EQ(told_tags(R"({"tags":["a"],"image_tags":[{"key":"b"}]})"), "tag_form");
  EXPECT_EQ(told_tags(R"({"tags":["a=1","a=2"]})"), "tag_form");
  EXPECT_EQ(told_tags(R"({"tags":["0","1","2","3","4","5","6","7","8","9"]})"),
            "0;1;2;3;4;5;6;7;8;9;");
  EXPECT_EQ(told_tags(R"({"tags":["0","1","2","3","4","5","6","7","8","9","10"]})"), "tag_limit");
}

} // namespace
} // namespace vitrine::api::ims
