#include "api/ims/v1/job_body.hpp"

#include "api/ims/error_catalogue.hpp"
#include "base/json.hpp"
#include "jobs/kinds/export_image.hpp"
#include "jobs/kinds/import_image.hpp"

#include <fmt/format.h>
#include <vector>

namespace vitrine::api::ims {
namespace {

using model::JobStatus;

// In a job there is no request that could be too large, and of a register the contract has a code
// for what has none of its own (ims-api 6.7).
CatalogueEntry const& entry_of(model::Job const& job) {
  if (job.failure->fault == Fault::too_large) {
    return entry(job.kind == jobs::kExportImage ? Fault::export_too_large : Fault::image_too_large);
  }
  auto const& why = entry(job.failure->fault);
  bool const is_unknown = why.code == entry(Fault::internal).code;
  return is_unknown && job.kind == jobs::kRegisterImage ? entry("IMG.1075") : why;
}

// Every pair repeats an image, a project and mostly "success": their JSON is made once, since a job
// has up to 25,600 pairs.
class Results {
public:
  explicit Results(jobs::JobReport const& report) : report_(report) {
    for (auto const& project : report.pairs.projects) {
      std::string text = R"(,"project_id":)";
      json::append_string(text, project.text);
      projects_.push_back(std::move(text));
    }
  }

  void write(std::string& out) const {
    bool const failed_only = report_.job.kind == jobs::kRemoveMembers;
    out += '[';
    bool first = true;
    for (std::size_t i = 0; i < report_.failures.size(); ++i) {
      std::string image = R"({"image_id":)";
      json::append_string(image, report_.pairs.images[i].text);
      auto failure = report_.failures[i].begin();
      auto const end = report_.failures[i].end();
      for (std::size_t k = 0; k < projects_.size(); ++k) {
        bool const failed = failure != end && failure->index == k;
        if (!failed && failed_only) continue;
        if (!first) out += ',';
        first = false;
        out += image;
        out += projects_[k];
        if (failed) {
          write_failure(out, entry((failure++)->fault));
        } else {
          out += R"(,"status":"success"})";
        }
      }
    }
    out += ']';
  }

private:
  static void write_failure(std::string& out, CatalogueEntry const& why) {
    out += R"(,"status":"failed","error_code":)";
    json::append_string(out, why.code);
    out += R"(,"fail_reason":)";
    json::append_string(out, why.message);
    out += '}';
  }

  jobs::JobReport const& report_;
  std::vector<std::string> projects_;
};

// Of pairs: the first that failed, and how many (contract: ims-api 5.1, L3). Of anything else: what
// is known of it.
std::string fail_reason(jobs::JobReport const& report) {
  std::string reason(entry_of(report.job).message);
  if (!jobs::works_on_pairs(report.job.kind)) {
    auto const& detail = report.job.failure->detail;
    return detail.empty() ? reason : fmt::format("{} ({})", reason, detail);
  }
  std::size_t failed = 0;
  for (std::size_t i = 0; i < report.failures.size(); ++i) {
    auto const& failures = report.failures[i];
    if (failed == 0 && !failures.empty()) {
      auto const& project = report.pairs.projects[failures.front().index];
      reason += fmt::format(" (image {}, project {})", report.pairs.images[i].text, project.text);
    }
    failed += failures.size();
  }
  if (failed > 0) reason += fmt::format(" ({} of {} failed)", failed, report.job.total);
  return reason;
}

void write_time(json::Writer& writer, std::string_view name, std::optional<Time> time) {
  writer.key(name);
  if (time) {
    writer.string(format_milliseconds(*time));
  } else {
    writer.null();
  }
}

void write_sub_jobs(json::Writer& writer, std::vector<model::Job> const& sub_jobs);

void write_entities(json::Writer& writer, jobs::JobReport const& report) {
  auto const& job = report.job;
  writer.begin_object();
  if (jobs::works_on_pairs(job.kind)) {
    std::string results = "[]"; // told when all are known
    if (job.ended_at) {
      results.clear();
      Results(report).write(results);
    }
    writer.key("results").raw(results);
  }
  if (!job.image.empty()) writer.field("image_id", job.image.text);
  if (!job.image_name.empty()) writer.field("image_name", job.image_name);
  if (report.sub_jobs) write_sub_jobs(writer, *report.sub_jobs);
  if (job.status == JobStatus::running) {
    auto const percent =
        job.total > 0 ? static_cast<double>(job.done) / static_cast<double>(job.total) : 0.0;
    writer.key("process_percent").number(percent);
    writer.field("current_task", job.kind);
  }
  writer.end_object();
}

void write_job(json::Writer& writer, jobs::JobReport const& report) {
  auto const& job = report.job;
  writer.begin_object().field("job_id", job.id.text).field("job_type", job.kind);
  writer.field("status", name_of(job.status));
  write_time(writer, "begin_time", job.began_at);
  write_time(writer, "end_time", job.ended_at);
  if (job.failure) {
    writer.field("error_code", entry_of(job).code);
    writer.field("fail_reason", fail_reason(report));
  } else {
    writer.null_field("error_code").null_field("fail_reason");
  }
  writer.key("entities");
  write_entities(writer, report);
  writer.end_object();
}

// Some clients look for what a job made in its sub jobs only (contract: ims-api D18).
void write_sub_jobs(json::Writer& writer, std::vector<model::Job> const& sub_jobs) {
  writer.key("sub_jobs_list").begin_array();
  for (auto const& sub_job : sub_jobs)
    writer.string(sub_job.id.text);
  writer.end_array().key("sub_jobs_result").begin_array();
  for (auto const& sub_job : sub_jobs) {
    jobs::JobReport report;
    report.job = sub_job;
    write_job(writer, report);
  }
  writer.end_array();
}

} // namespace

std::string job_body(jobs::JobReport const& report) {
  std::string out;
  json::Writer writer(out);
  write_job(writer, report);
  return out;
}

} // namespace vitrine::api::ims
