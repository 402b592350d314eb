#include "jobs/kinds/capture.hpp"

#include "jobs/kinds/outside.hpp"
#include "ops/log.hpp"
#include "service/uploads.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace vitrine::jobs {
namespace {

using service::CaptureSource;

constexpr std::int64_t kPauseSeconds = 2;
constexpr std::int64_t kLongPauseSeconds = 10; // to a service that does not answer
constexpr std::int64_t kVolumeGibMax = 1024;   // contract: ims-api 6.3.4
// Unanswered questions in a row, with pauses that grow to a minute, before a job fails.
constexpr std::int64_t kAttemptsMax = 10;
// A service that has ended its task may still be about to tell us.
constexpr std::int64_t kIdleUs = 60 * kMicrosecondsPerSecond;
// To remove what was made.
constexpr std::int64_t kCleanUpUs = 3600 * kMicrosecondsPerSecond;

// How far a job is, of 1000.
constexpr std::int64_t kLooked = 20;
constexpr std::int64_t kBackedUp = 200;
constexpr std::int64_t kCopied = 400;
constexpr std::int64_t kStarted = 500;
constexpr std::int64_t kArrived = 900;

bool is_failure(std::string_view status) { return status.starts_with("error"); }

} // namespace

bool may_ask_again(JobContext const& context, Error const& failed) {
  if (failed.kind() != Kind::unavailable) return false;
  bool const elsewhere =
      failed.fault == Fault::cloud_unavailable || failed.fault == Fault::identity_unavailable;
  return !elsewhere || context.job().attempt < kAttemptsMax;
}

Result<Capture> Capture::open(JobContext& context, CaptureServices const& services,
                              model::Job const& row) {
  auto order = TRY(capture_order_from(row.arguments_json));
  auto state = TRY(capture_state_from(row.state_json));
  return Capture(context, services, row, std::move(order), std::move(state));
}

Result<Capture::Step> Capture::run() {
  if (state_.fault.empty()) {
    auto const went = go_on();
    if (went) return *went == Step::waits ? rest(kPauseSeconds) : went;
    if (may_ask_again(context_, went.error())) return went;
    TRY(fail(went.error()));
  }
  if (clear() == Step::waits) return Step::waits;
  return error(fault_named(state_.fault), state_.detail);
}

Result<Capture::Step> Capture::give_up(Error const& why) {
  if (state_.fault.empty()) {
    TRY(fail(why));
    return rest(kPauseSeconds);
  }
  auto const failure = error(fault_named(state_.fault), state_.detail);
  tell(row_.done);
  auto const told =
      context_.commit(is_sub_job() ? 1 : 0, [&](store::Connection& connection) -> Result<> {
        store::Jobs jobs(connection);
        TRY(drop_image(connection));
        TRY(service::Captures::tell_failure(connection, batch(), order_.request, failure));
        return is_sub_job() ? jobs.end_sub_job(row_.id, context_.now(), failure) : Result<>();
      });
  return told ? Result<Step>(Step::taken) : Error(told.error());
}

Result<> Capture::ask_rights() {
  auto const tokens = TRY(services_.mandates.open(context_.caller(), context_.job().secret));
  compute_ = {order_.compute, tokens.caller, tokens.service};
  volumes_ = {order_.volumes, tokens.caller, tokens.service};
  return {};
}

bool Capture::has_time() const {
  auto const began = context_.job().began_at.value_or(context_.now());
  return context_.now().us - began.us < services_.options.wait_seconds * kMicrosecondsPerSecond;
}

Result<Capture::Step> Capture::go_on() {
  if (state_.ended_at_us == 0 && !has_time()) {
    return error(Fault::cloud_failed,
                 fmt::format("not done within {} seconds", services_.options.wait_seconds));
  }
  TRY(ask_rights());
  if (!state_.looked) TRY(look());
  if (row_.image.empty()) return start_image();
  return await_image();
}

Capture::Step Capture::rest(std::int64_t seconds) {
  pause_s_ = std::max(pause_s_, seconds);
  context_.rest(pause_s_);
  return Step::waits;
}

Result<> Capture::note(std::int64_t progress) {
  tell(progress);
  return context_.commit(0, [&](store::Connection& connection) {
    return store::Jobs(connection).set_state(row_.id, to_json(state_));
  });
}

/// The progress of a job that makes several is how many of them have ended.
void Capture::tell(std::int64_t progress) {
  if (!is_sub_job()) context_.resume_at(progress);
}

Result<> Capture::look() {
  switch (order_.request.source) {
  case CaptureSource::server:
  case CaptureSource::server_backup: TRY(look_at_server()); break;
  case CaptureSource::volume: TRY(look_at_volume(order_.request.id)); break;
  case CaptureSource::data_volume: TRY(look_at_data_volume()); break;
  case CaptureSource::backup: TRY(look_at_backup()); break;
  }
  state_.looked = true;
  return note(kLooked);
}

Result<> Capture::look_at_server() {
  auto const server = TRY(services_.compute.server(compute_, order_.request.id));
  if (server.status != "ACTIVE" && server.status != "SHUTOFF") {
    return error(Fault::server_state, "its status is " + server.status);
  }
  if (!server.task.empty()) return error(Fault::server_busy, "its task is " + server.task);
  if (services_.options.require_stopped && server.status != "SHUTOFF") {
    return error(Fault::server_not_stopped);
  }
  auto const root = server.root_volume();
  if (!root && server.image.empty()) return error(Fault::no_system_disk);
  if (!root && is_whole()) {
    return error(Fault::server_unprotected, "its system disk is no volume");
  }
  state_.facts.parent = server.image;
  if (is_whole()) state_.disks = server.volumes;
  if (!root) return {};
  auto const looked = look_at_volume(*root);
  if (looked) return {};
  if (looked.error().fault != Fault::volume_unknown) return Error(looked.error());
  return error(Fault::system_disk_state, "its volume does not exist");
}

Result<cloud::Volume> Capture::look_at_volume(std::string_view id) {
  if (volumes_.endpoint.empty()) {
    return error(Fault::not_offered, "there is no block storage service");
  }
  auto const volume = TRY(services_.volumes.volume(volumes_, id));
  if (!volume) return error(Fault::volume_unknown);
  if (volume->status != "available" && volume->status != "in-use") {
    bool const of_server = order_.request.source == CaptureSource::server || is_whole();
    auto const fault = of_server ? Fault::system_disk_state : Fault::volume_state;
    return error(fault, "its status is " + volume->status);
  }
  if (volume->size_gib > kVolumeGibMax) {
    return error(Fault::volume_too_large,
                 fmt::format("{} GiB, at most {}", volume->size_gib, kVolumeGibMax));
  }
  if (volume->encrypted) return error(Fault::not_offered, "the volume is encrypted");
  state_.volume = id;
  state_.facts.disk_gib = volume->size_gib;
  if (state_.facts.parent.empty()) state_.facts.parent = volume->image;
  return *volume;
}

/// What runs on the server that the volume is attached to (contract: ims-api 6.3.4).
Result<> Capture::look_at_data_volume() {
  auto const attached_to = TRY(look_at_volume(order_.request.id)).server;
  if (attached_to.empty() || compute_.endpoint.empty()) return {};
  auto const server = services_.compute.server(compute_, attached_to);
  if (!server && server.error().fault == Fault::server_unknown) return {};
  if (!server) return Error(server.error());
  ImageId image{server->image};
  if (auto const root = server->root_volume()) {
    auto const volume = TRY(services_.volumes.volume(volumes_, *root));
    if (volume) image = {volume->image};
  }
  auto const found = services_.database.read([&](store::Connection& connection) {
    return store::Images(connection).get_for(image, context_.caller());
  });
  if (found) state_.facts.os_type = found->image.property("__os_type").value_or("");
  if (found || found.error().fault == Fault::image_not_found) return {};
  return Error(found.error());
}

Result<> Capture::look_at_backup() {
  auto const backup = TRY(services_.backups.backup(volumes_, order_.request.id));
  if (!backup) return error(Fault::backup_unknown);
  if (backup->status != "available") {
    return error(Fault::backup_state, "its status is " + backup->status);
  }
  if (backup->size_gib > kVolumeGibMax) {
    return error(Fault::volume_too_large,
                 fmt::format("{} GiB, at most {}", backup->size_gib, kVolumeGibMax));
  }
  state_.facts.disk_gib = backup->size_gib;
  state_.facts.backup = order_.request.id;
  return {};
}

Result<model::Image> Capture::image_now() {
  auto image = services_.database.read(
      [&](store::Connection& connection) { return store::Images(connection).get(row_.image); });
  if (image || image.error().fault != Fault::image_not_found) return image;
  // By its owner, or by the service that made it and failed: both ask with the same token.
  return service::deleted_meanwhile();
}

/// One that an attempt started and could not note is found by its name.
Result<Capture::Step> Capture::start_image() {
  auto const found = TRY(services_.database.read([&](store::Connection& connection) {
    return service::Captures::find(connection, order_.request, name());
  }));
  if (found) {
    TRY(adopt(*found));
    return Step::waits;
  }
  if (order_.request.source == CaptureSource::backup) {
    if (state_.copy.empty()) return restore(order_.request.id);
    return start_from_copy();
  }
  if (is_whole()) {
    if (state_.copy.empty()) return make_backups();
    return start_from_copy();
  }
  if (!state_.volume.empty()) return start_from_volume();
  auto const image = TRY(services_.compute.start_image(compute_, order_.request.id, name()));
  TRY(adopt(image));
  return Step::waits;
}

/// A volume in use is never read itself: a copy of what it holds now is.
Result<Capture::Step> Capture::start_from_volume() {
  if (!state_.copy.empty()) return start_from_copy();
  if (!state_.snapshot.empty()) return make_snapshot();
  auto const volume = TRY(services_.volumes.volume(volumes_, state_.volume));
  if (!volume) return error(Fault::volume_unknown);
  if (volume->status == "in-use") return make_snapshot();
  auto const image = TRY(services_.volumes.start_image(volumes_, state_.volume, name()));
  TRY(adopt(image));
  return Step::waits;
}

Result<Capture::Step> Capture::make_snapshot() {
  auto& volumes = services_.volumes;
  if (state_.snapshot.empty()) {
    state_.snapshot = TRY(volumes.start_snapshot(volumes_, state_.volume, name()));
    TRY(note(kLooked));
    return Step::waits;
  }
  auto const status = TRY(volumes.snapshot(volumes_, state_.snapshot));
  if (status == "creating") return Step::waits;
  if (status != "available") {
    return error(Fault::cloud_failed, "the block storage service made no snapshot of the volume");
  }
  state_.copy = TRY(volumes.start_volume(volumes_, state_.snapshot, name()));
  TRY(note(kCopied));
  return Step::waits;
}

Result<Capture::Step> Capture::start_from_copy() {
  auto const copy = TRY(services_.volumes.volume(volumes_, state_.copy));
  if (!copy || is_failure(copy->status)) {
    return error(Fault::cloud_failed, "the block storage service made no copy of the volume");
  }
  if (copy->status != "available") return Step::waits;
  if (copy->encrypted) return error(Fault::not_offered, "the backup is of an encrypted volume");
  auto const image = TRY(services_.volumes.start_image(volumes_, state_.copy, name()));
  TRY(adopt(image));
  return Step::waits;
}

/// One at a time: a service has few workers for them, and each is told of as soon as it is begun.
Result<Capture::Step> Capture::make_backups() {
  auto& backups = services_.backups;
  if (!state_.backups.empty()) {
    auto const last = TRY(backups.backup(volumes_, state_.backups.back()));
    if (!last || is_failure(last->status)) {
      return error(Fault::cloud_failed, "the backup service made no backup of a volume");
    }
    if (last->status != "available") return Step::waits;
  }
  auto const made = state_.backups.size();
  if (made == state_.disks.size()) return restore(state_.backups.front());
  auto begun = TRY(backups.start_backup(volumes_, state_.disks[made], name_of_backup()));
  state_.backups.push_back(std::move(begun));
  state_.facts.backup = state_.backups.front();
  TRY(note(kBackedUp));
  return Step::waits;
}

/// Of the one that is begun next.
std::string Capture::name_of_backup() const {
  return fmt::format("{}-{}", name(), state_.backups.size());
}

Result<Capture::Step> Capture::restore(std::string const& backup) {
  state_.copy = TRY(services_.backups.start_restore(volumes_, backup, name()));
  TRY(note(kCopied));
  return Step::waits;
}

Result<> Capture::adopt(ImageId const& image) {
  tell(kStarted);
  return context_.commit(0, [&](store::Connection& connection) -> Result<> {
    TRY(services_.captures.adopt(connection, batch(), order_.request, image));
    store::Jobs jobs(connection);
    if (is_sub_job()) TRY(jobs.begin_sub_job(row_.id, context_.now()));
    return jobs.set_image(row_.id, image, *order_.request.draft.name);
  });
}

Result<Capture::Step> Capture::await_image() {
  auto const image = TRY(image_now());
  if (image.status == model::ImageStatus::active) {
    if (state_.ended_at_us == 0) {
      state_.ended_at_us = context_.now().us;
      TRY(note(kArrived));
    }
    if (clear() == Step::waits) return Step::waits;
    TRY(finish());
    return Step::taken;
  }
  auto const before_us = state_.idle_since_us;
  bool const worked_on = TRY(is_worked_on());
  if (worked_on) {
    state_.idle_since_us = 0;
  } else if (before_us == 0) {
    state_.idle_since_us = context_.now().us;
  } else if (context_.now().us - before_us > kIdleUs) {
    return error(Fault::cloud_failed, "the data of the image did not come");
  }
  if (state_.idle_since_us != before_us) TRY(note(kStarted));
  return Step::waits;
}

Result<bool> Capture::is_worked_on() {
  auto const& volume = state_.copy.empty() ? state_.volume : state_.copy;
  if (!volume.empty()) {
    auto const found = TRY(services_.volumes.volume(volumes_, volume));
    return found && found->status == "uploading";
  }
  auto const server = services_.compute.server(compute_, order_.request.id);
  if (!server && server.error().fault == Fault::server_unknown) return false;
  if (!server) return Error(server.error());
  return !server->task.empty();
}

Result<> Capture::finish() {
  tell(kArrived);
  state_.facts.backups = state_.backups;
  return context_.commit(is_sub_job() ? 1 : 0, [&](store::Connection& connection) -> Result<> {
    TRY(services_.captures.finish(connection, batch(), order_.request, row_.image, state_.facts));
    if (!is_sub_job()) return {};
    return store::Jobs(connection).end_sub_job(row_.id, context_.now(), std::nullopt);
  });
}

/// From now on nothing is done but to remove what was made. The image goes first, so that nobody
/// reads a volume for it any longer.
Result<> Capture::fail(Error const& why) {
  auto const told = final_answer(why);
  state_.fault = name_of(told.fault);
  state_.detail = told.detail;
  state_.ended_at_us = context_.now().us;
  tell(row_.done);
  return context_.commit(0, [&](store::Connection& connection) -> Result<> {
    TRY(drop_image(connection));
    store::Jobs jobs(connection);
    TRY(jobs.set_image(row_.id, {}, {}));
    return jobs.set_state(row_.id, to_json(state_));
  });
}

/// Also one that an attempt started and did not get to know.
Result<> Capture::drop_image(store::Connection& connection) {
  auto const started = TRY(service::Captures::find(connection, order_.request, name()));
  return service::Captures::drop(connection, order_.request, started.value_or(row_.image),
                                 context_.now());
}

/// Removes what is not to stay elsewhere. What cannot be removed, because the service refuses or
/// has not answered for an hour, holds up nobody: the log tells of it.
Capture::Step Capture::clear() {
  auto const removed = remove_all();
  if (removed && *removed == Step::taken) return Step::taken;
  bool const may_go = removed || removed.error().kind() == Kind::unavailable;
  if (may_go && context_.now().us < state_.ended_at_us + kCleanUpUs) {
    return rest(removed ? kPauseSeconds : kLongPauseSeconds);
  }
  ops::log_error("capture.left_behind",
                 {{"job_id", context_.job().id.text},
                  {"name", name()},
                  {"detail", removed ? std::string_view("not removed in time")
                                     : std::string_view(removed.error().detail)}});
  return Step::taken;
}

Result<Capture::Step> Capture::remove_all() {
  bool const of_local_disk =
      order_.request.source == CaptureSource::server && state_.volume.empty();
  if (!state_.looked || of_local_disk) return Step::taken;
  if (state_.fault.empty()) return remove_copies(); // the backups belong to the image
  TRY(ask_rights());
  TRY(find_unnoted());
  auto const copies = TRY(remove_copies());
  auto const backups = TRY(remove_backups());
  return copies == Step::taken ? backups : Step::waits;
}

/// What an attempt started and was cut before it could note it.
Result<> Capture::find_unnoted() {
  auto& volumes = services_.volumes;
  if (state_.copy.empty()) {
    state_.copy = TRY(volumes.volume_named(volumes_, name())).value_or("");
  }
  if (state_.snapshot.empty()) {
    state_.snapshot = TRY(volumes.snapshot_named(volumes_, name())).value_or("");
  }
  if (!is_whole()) return {};
  if (auto next = TRY(services_.backups.backup_named(volumes_, name_of_backup()))) {
    state_.backups.push_back(std::move(*next));
  }
  return {};
}

/// They are gone when the service does not know them any more.
Result<Capture::Step> Capture::remove_copies() {
  auto& volumes = services_.volumes;
  if (!state_.copy.empty()) {
    auto const copy = TRY(volumes.volume(volumes_, state_.copy));
    if (copy && copy->status != "deleting") TRY(volumes.remove_volume(volumes_, state_.copy));
    if (copy) return Step::waits;
  }
  if (state_.snapshot.empty()) return Step::taken;
  auto const snapshot = TRY(volumes.snapshot(volumes_, state_.snapshot));
  if (snapshot && *snapshot != "deleting") TRY(volumes.remove_snapshot(volumes_, state_.snapshot));
  return snapshot ? Step::waits : Step::taken;
}

Result<Capture::Step> Capture::remove_backups() {
  auto step = Step::taken;
  for (auto const& id : state_.backups) {
    auto const backup = TRY(services_.backups.backup(volumes_, id));
    if (!backup) continue;
    step = Step::waits;
    if (backup->status != "deleting") TRY(services_.backups.remove_backup(volumes_, id));
  }
  return step;
}

} // namespace vitrine::jobs
