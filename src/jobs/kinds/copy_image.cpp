#include "jobs/kinds/copy_image.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"
#include "jobs/kinds/arguments.hpp"
#include "jobs/kinds/deleted_images.hpp"
#include "jobs/kinds/kinds.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>

namespace vitrine::jobs {
namespace {

constexpr std::string_view kCopyImage = "imsCopyImageInRegionJob";

std::string to_json(service::CopyRequest const& request) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("source", request.source.text).field("target", request.target.text);
  writer.field("name", request.name).field("description", request.description);
  writer.field("key", request.key).field("enterprise_project", request.enterprise_project);
  writer.end_object();
  return out;
}

Result<service::CopyRequest> from_json(std::string_view text) {
  auto const stored = TRY(Arguments::parse(text));
  service::CopyRequest request;
  request.source.text = TRY(stored.text("source"));
  request.target.text = TRY(stored.text("target"));
  request.name = TRY(stored.text("name"));
  request.description = TRY(stored.text("description"));
  request.key = TRY(stored.text("key"));
  request.enterprise_project = TRY(stored.text("enterprise_project"));
  return request;
}

/// One attempt.
class Copying {
public:
  Copying(JobContext& context, service::Copies const& copies, service::Encryption const& encryption)
      : context_(context), copies_(copies), encryption_(encryption),
        batch_{context.caller(), context.job().id, context.now()} {}

  Result<> run() {
    auto const request = TRY(from_json(context_.job().arguments_json));
    auto const work = TRY(begin(request));
    if (!service::waits_for_data(work.image)) return {};
    auto const source = TRY(copies_.open_source(work));
    auto const upload = TRY(copies_.begin_data(batch_, request, work));
    auto const carried = carry(*source, *upload, request.target);
    if (carried) return upload->finish();
    upload->abandon(carried.error());
    return carried;
  }

  Result<> give_up(Error const& why) {
    auto const request = TRY(from_json(context_.job().arguments_json));
    bool made = false; // by an attempt that ended before it could say so
    auto reason = why;
    auto const told = context_.commit(0, [&](store::Connection& connection) -> Result<> {
      made = TRY(service::is_whole(connection, request.target));
      if (made) return {};
      reason = why;
      TRY(find_reason(connection, context_.job().id, reason));
      TRY(store::Jobs(connection).set_image(context_.job().id, {}, {}));
      return copies_.give_up(connection, batch_, request, reason);
    });
    if (!told || made) return told;
    return reason;
  }

private:
  Result<service::CopyWork> begin(service::CopyRequest const& request) {
    std::optional<service::CopyWork> work;
    auto const begin = [&](store::Connection& connection, service::KeyStates& states) -> Result<> {
      auto const& job = context_.job();
      work = TRY(copies_.begin(connection, states, batch_, request, !job.image.empty()));
      return store::Jobs(connection).set_image(job.id, request.target, request.name);
    };
    auto const begun = encryption_.in_unit(
        [&](store::Database::Work const& unit) { return context_.commit(0, unit); }, begin);
    if (!begun) return Error(begun.error());
    return std::move(*work);
  }

  // The next block is read, and opened, while this one is sealed and stored.
  Result<> carry(StoredBytes& source, service::Upload& upload, ImageId const& copy) {
    // Once it is deleted nobody wants the rest.
    auto const is_wanted = [&](store::Connection& connection) {
      return service::require_there(connection, copy);
    };
    auto const size_bytes = source.size_bytes();
    auto const read = [&](std::uint64_t at) -> Result<Block> {
      auto block = upload.block();
      auto const room = block.room();
      auto const count = std::min<std::uint64_t>(room.size(), size_bytes - at);
      TRY(source.read(at, room.first(count)));
      block.extend(count);
      return block;
    };
    std::future<Result<Block>> next;
    if (size_bytes > 0) next = std::async(std::launch::async, read, 0);
    for (std::uint64_t at = 0; at < size_bytes;) {
      auto block = TRY(next.get());
      at += block.size();
      if (at < size_bytes) next = std::async(std::launch::async, read, at);
      TRY(upload.write(std::move(block)));
      TRY(context_.advance(static_cast<std::int64_t>(at), static_cast<std::int64_t>(size_bytes),
                           is_wanted));
    }
    return {};
  }

  JobContext& context_;
  service::Copies const& copies_;
  service::Encryption const& encryption_;
  service::Batch const batch_;
};

} // namespace

Order copy_order(model::Caller const& caller, service::Copies const& copies,
                 service::CopyRequest request) {
  return {
      .kind = kCopyImage,
      .arguments_json = to_json(request),
      .audit = model::audit::image_copy,
      .images = {request.source},
      .choose_lane = [request](store::Connection& connection) -> Result<model::JobLane> {
        bool const carries = TRY(service::Copies::carries_data(connection, request));
        return carries ? model::JobLane::carrying : model::JobLane::quick;
      },
      .about = request.source,
      .image_name = request.name,
      .limit = FlowLimit{.kinds = {kCopyImage}, .of_project = true, .most = limits::copy_jobs},
      .with =
          [&caller, &copies, request](store::Connection& connection, service::KeyStates& states) {
            return copies.check(connection, states, caller, request);
          }};
}

JobKind copy_image(KindServices const& services) {
  auto const attempt = [&copies = services.copies, &encryption = services.encryption](
                           JobContext& context) { return Copying(context, copies, encryption); };
  return {.name = kCopyImage,
          .run = [attempt](JobContext& context) { return attempt(context).run(); },
          .give_up = [attempt](JobContext& context,
                               Error const& why) { return attempt(context).give_up(why); }};
}

} // namespace vitrine::jobs
