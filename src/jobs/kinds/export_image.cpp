#include "jobs/kinds/export_image.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"
#include "jobs/kinds/arguments.hpp"
#include "jobs/kinds/kinds.hpp"
#include "jobs/kinds/outside.hpp"
#include "ops/log.hpp"
#include "store/buckets/buckets.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>

namespace vitrine::jobs {
namespace {

using service::ExportRequest;

// How far a job is when the data is converted, and when it is written, of these.
constexpr std::string_view kMarkOfJob = "job-";
constexpr std::int64_t kConverted = 500;
constexpr std::int64_t kWritten = 999;
constexpr std::int64_t kDone = 1000;

std::string to_json(ExportRequest const& request) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("image", request.image.text);
  writer.field("bucket", request.target.bucket).field("object", request.target.object);
  writer.field("format", request.format).end_object();
  return out;
}

Result<ExportRequest> from_json(std::string_view text) {
  auto const stored = TRY(Arguments::parse(text));
  ExportRequest request;
  request.image.text = TRY(stored.text("image"));
  request.target.bucket = TRY(stored.text("bucket"));
  request.target.object = TRY(stored.text("object"));
  request.format = TRY(stored.text("format"));
  return request;
}

/// Whether an attempt that ended right after has told that the object is there.
bool was_told(JobContext const& context) { return context.job().done == kDone; }

/// One attempt.
class Export {
public:
  Export(JobContext& context, KindServices const& services, ExportRequest const& request)
      : context_(context), exports_(services.exports), encryption_(services.encryption),
        buckets_(services.buckets), request_(request) {}

  Result<> run() {
    if (was_told(context_)) return {};
    // An attempt that was handed back does not count, but it has written.
    if (may_have_written()) TRY(remove_unfinished());
    auto const source = TRY(admit());
    auto const data = TRY(exports_.open(
        source, request_, [&](int percent) { return advance(kConverted * percent / 100); }));
    TRY(advance(kConverted)); // from now on there may be something to remove
    auto const look = [this] { return claim(); };
    auto writer =
        buckets_.create(user(), request_.target,
                        {.mark = mark(), .size_bytes_max = data->size_bytes(), .last_look = look});
    if (!writer && writer.error().fault == Fault::object_exists && is_ours(data->size_bytes())) {
      context_.resume_at(kWritten);
      return tell_success();
    }
    if (!writer) return final_error(writer.error());
    TRY(carry(*data, **writer));
    auto const committed = (*writer)->commit();
    if (!committed) return final_error(committed.error());
    return tell_success();
  }

  /// What can be removed of what the attempts left; its owner is told why they failed all the same.
  void take_back() {
    if (!may_have_written()) return;
    auto const removed = remove_unfinished();
    if (removed) return;
    ops::log_warning("export.left_behind",
                     {{"job_id", context_.job().id.text}, {"detail", removed.error().detail}});
  }

private:
  [[nodiscard]] bool may_have_written() const {
    return context_.job().attempt > 1 || context_.job().done > 0;
  }

  Result<service::ExportSource> admit() {
    std::optional<service::ExportSource> source;
    auto const run = [&](store::Database::Work const& unit) { return context_.read(unit); };
    auto const work = [&](store::Connection& connection, service::KeyStates& states) -> Result<> {
      source = TRY(exports_.admit(connection, states, context_.caller(), request_));
      return {};
    };
    TRY(encryption_.in_unit(run, work));
    return std::move(*source);
  }

  [[nodiscard]] store::BucketUser user() const {
    return {context_.caller().user, context_.caller().project};
  }

  // What a killed attempt left must not stay.
  Result<> remove_unfinished() {
    auto const removed =
        buckets_.remove_unfinished(user(), request_.target, context_.job().submitted_at);
    if (!removed) return final_error(removed.error());
    return {};
  }

  /// Right before the object may come to be: is the job still ours? A worker that hung may wake up
  /// when another one has ended the job, and the object is its owner's to remove.
  Result<> claim() {
    // No progress: where the object does not come to be, another attempt writes it anew.
    context_.resume_at(kWritten);
    return context_.commit(0, [](store::Connection&) { return Result<>(); });
  }

  // That everything was written once stays told: by that the object is known as ours.
  Result<> advance(std::int64_t done) {
    return context_.advance(context_.job().done < kWritten ? done : kWritten, kDone);
  }

  // Of all attempts, so that the next one knows the object of one that was killed.
  [[nodiscard]] std::string mark() const {
    return std::string(kMarkOfJob) + context_.job().id.text;
  }

  // An attempt that had written everything may have ended before it could tell. Where no marks are
  // kept the size has to do, though other disks have it, too.
  bool is_ours(std::uint64_t size_bytes) {
    auto const object = buckets_.open(user(), request_.target);
    if (!object) return false;
    auto const& info = (*object)->info();
    // The first release marked objects at random.
    if (info.mark && info.mark->starts_with(kMarkOfJob)) return *info.mark == mark();
    return context_.job().done >= kWritten && info.size_bytes == size_bytes;
  }

  Result<> carry(StoredBytes& data, BytesWriter& writer) {
    auto const size_bytes = data.size_bytes();
    BlockPool blocks;
    for (std::uint64_t at = 0; at < size_bytes;) {
      auto block = blocks.take();
      auto const part = block.room().first(std::min<std::uint64_t>(Block::kBytes, size_bytes - at));
      TRY(data.read(at, part));
      if (auto const written = writer.write(part); !written) return final_error(written.error());
      at += part.size();
      auto const share = static_cast<std::int64_t>(at * (kWritten - kConverted) / size_bytes);
      TRY(advance(kConverted + share));
    }
    return {};
  }

  Result<> tell_success() {
    return context_.commit(kDone - kWritten, [&](store::Connection& connection) {
      service::Batch const batch{context_.caller(), context_.job().id, context_.now()};
      return exports_.tell(connection, batch, request_, std::nullopt);
    });
  }

  JobContext& context_;
  service::Exports const& exports_;
  service::Encryption const& encryption_;
  store::Buckets& buckets_;
  ExportRequest const& request_;
};

} // namespace

Order export_order(model::Caller const& caller, service::Exports const& exports,
                   service::ExportRequest const& request) {
  return {.kind = kExportImage,
          .arguments_json = to_json(request),
          .audit = model::audit::image_export,
          .images = {request.image},
          .units = kDone,
          .lane = model::JobLane::carrying,
          .about = request.image,
          .image = request.image,
          .unserved = exports.unserved(),
          .with = [&caller, &exports, request](store::Connection& connection,
                                               service::KeyStates& states) -> Result<> {
            TRY(exports.admit(connection, states, caller, request));
            if (!TRY(store::Jobs(connection).is_open(kExportImage, request.image))) return {};
            return error(Fault::export_running);
          }};
}

JobKind export_image(KindServices const& services) {
  auto& exports = services.exports;
  return {.name = kExportImage,
          .run = [services](JobContext& context) -> Result<> {
            auto const request = TRY(from_json(context.job().arguments_json));
            return Export(context, services, request).run();
          },
          .give_up = [services, &exports](JobContext& context, Error const& why) -> Result<> {
            if (was_told(context)) return {};
            auto const request = TRY(from_json(context.job().arguments_json));
            Export(context, services, request).take_back();
            auto const told = context.commit(0, [&](store::Connection& connection) {
              service::Batch const batch{context.caller(), context.job().id, context.now()};
              return exports.tell(connection, batch, request, why);
            });
            if (!told) return told;
            return Error(why);
          }};
}

} // namespace vitrine::jobs
