#include "jobs/kinds/remove_backups.hpp"

#include "cloud/backups.hpp"
#include "jobs/kinds/arguments.hpp"
#include "jobs/kinds/capture_state.hpp"
#include "jobs/kinds/outside.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string>

namespace vitrine::jobs {
namespace {

// A backup that somebody restores, or that others are built on, may be removed later.
constexpr std::int64_t kPatience_us = 24 * 3600 * kMicrosecondsPerSecond;
constexpr std::int64_t kPauseMin_s = 2;
constexpr std::int64_t kPauseMax_s = 60;

struct Removal {
  model::Image image; ///< what the audit trail names of it
  std::string backups;
  std::string volumes;          ///< base URL of the block storage
  std::optional<Error> refused; ///< why there is no mandate
};

std::string to_json(Removal const& removal) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("image", removal.image.id.text);
  writer.field("name", removal.image.name.value_or("")).field("owner", removal.image.owner.text);
  writer.field("backups", removal.backups).field("volumes", removal.volumes);
  if (removal.refused) {
    writer.field("fault", name_of(removal.refused->fault));
    writer.field("detail", removal.refused->detail);
  }
  writer.end_object();
  return out;
}

Result<Removal> removal_from(std::string_view json) {
  auto const stored = TRY(Arguments::parse(json));
  Removal removal;
  removal.image.id.text = TRY(stored.text("image"));
  removal.image.name = TRY(stored.text("name"));
  removal.image.owner.text = TRY(stored.text("owner"));
  removal.backups = TRY(stored.text("backups"));
  removal.volumes = TRY(stored.text("volumes"));
  if (!stored.has("fault")) return removal;
  auto const fault = TRY(stored.text("fault"));
  removal.refused = error(fault_named(fault), TRY(stored.text("detail")));
  return removal;
}

class RemoveBackups {
public:
  RemoveBackups(JobContext& context, CaptureServices const& services)
      : context_(context), services_(services) {}

  /// What can be removed goes, though others of them cannot.
  Result<> run() {
    auto const removal = TRY(removal_from(context_.job().arguments_json));
    if (removal.refused) return final_answer(*removal.refused);
    auto const tokens = TRY(services_.mandates.open(context_.caller(), context_.job().secret));
    rights_ = {removal.volumes, tokens.caller, tokens.service};
    std::optional<Error> refused;
    bool waits = false;
    for (auto const& backup : parted(removal.backups)) {
      auto const gone = remove(removal.image.owner, backup);
      if (!gone && gone.error().kind() == Kind::unavailable) return Error(gone.error());
      if (!gone) refused = gone.error();
      if (gone && !*gone) waits = true;
    }
    if (!waits) return refused ? Result<>(*refused) : Result<>();
    return await();
  }

  Result<> give_up(Error const& why) {
    auto const removal = TRY(removal_from(context_.job().arguments_json));
    auto const reason = why.detail.empty() ? text_of(why.fault) : std::string_view(why.detail);
    auto const failure = error(Fault::backups_not_removed, std::string(reason));
    TRY(context_.commit(0, [&](store::Connection& connection) {
      service::Batch const batch{context_.caller(), context_.job().id, context_.now()};
      return service::Captures::tell_backups_stay(connection, batch, removal.image, failure);
    }));
    ops::log_error("backups.left_behind", {{"job_id", context_.job().id.text},
                                           {"image_id", removal.image.id.text},
                                           {"code", "IMG.0176"},
                                           {"backups", removal.backups},
                                           {"detail", reason}});
    return failure;
  }

private:
  /// False while it is there. Nothing is to be done with one that an image still names.
  Result<bool> remove(ProjectId const& owner, std::string const& id) {
    auto const named = TRY(services_.database.read([&](store::Connection& connection) {
      return service::Captures::is_named(connection, owner, id);
    }));
    if (named) return true;
    auto const backup = TRY(services_.backups.backup(rights_, id));
    if (!backup) return true;
    if (backup->status == "error_deleting") {
      return error(Fault::cloud_failed, "the backup service did not remove backup " + id);
    }
    if (backup->status != "deleting") TRY(services_.backups.remove_backup(rights_, id));
    return false;
  }

  Result<> await() {
    auto const now = context_.now();
    auto const age_us = now.us - context_.job().began_at.value_or(now).us;
    if (age_us > kPatience_us) return error(Fault::cloud_failed, "not removed in time");
    context_.rest(std::clamp(age_us / (20 * kMicrosecondsPerSecond), kPauseMin_s, kPauseMax_s));
    return {};
  }

  JobContext& context_;
  CaptureServices const& services_;
  cloud::Rights rights_;
};

} // namespace

Order remove_backups_order(model::Image const& image, Result<model::Mandate> const& mandate) {
  Removal removal{.image = image,
                  .backups = service::Captures::backups_of(image),
                  .volumes = mandate ? mandate->volumes : std::string(),
                  .refused = mandate ? std::nullopt : std::optional(mandate.error())};
  return {.kind = kRemoveBackups,
          .arguments_json = to_json(removal),
          .audit = model::audit::image_delete,
          .images = {},
          .lane = model::JobLane::asking,
          .secret = mandate ? mandate->secret : std::string()};
}

JobKind remove_backups_kind(CaptureServices const& services) {
  return {.name = kRemoveBackups,
          .run = [services](JobContext& context) { return RemoveBackups(context, services).run(); },
          .give_up =
              [services](JobContext& context, Error const& why) {
                return RemoveBackups(context, services).give_up(why);
              }};
}

} // namespace vitrine::jobs
