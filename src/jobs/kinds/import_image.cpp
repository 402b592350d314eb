#include "jobs/kinds/import_image.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "jobs/kinds/arguments.hpp"
#include "jobs/kinds/capture_image.hpp"
#include "jobs/kinds/deleted_images.hpp"
#include "jobs/kinds/kinds.hpp"
#include "jobs/kinds/outside.hpp"
#include "store/buckets/buckets.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::jobs {
namespace {

using service::ImportRequest;

constexpr std::string_view kHasSubJob = "has_sub_job";
constexpr std::string_view kSliceOffset = "slice_offset";
constexpr std::string_view kFormats = "formats";
constexpr std::string_view kExpected = "expected_sha256";
// A server that knows nothing of hashes reads the formats alone. No data has this one, so it fails
// the job in good order, and nothing counts as proven that nobody compared.
constexpr std::string_view kHashedFormats = "hashed_formats";
constexpr std::string_view kNoFormat = "what a newer server compares with __expected_sha256";

Result<service::ImportSlice> slice_in(Arguments const& stored) {
  service::ImportSlice slice;
  slice.offset = static_cast<std::uint64_t>(TRY(stored.integer(kSliceOffset)));
  slice.size_bytes = static_cast<std::uint64_t>(TRY(stored.integer("slice_size")));
  slice.etag = TRY(stored.text("slice_etag"));
  return slice;
}

void write_formats(json::Writer& writer, ImportRequest const& request) {
  auto const formats = fmt::format("{}", fmt::join(request.formats, ","));
  if (request.expected_sha256.empty()) {
    writer.field(kFormats, formats);
    return;
  }
  writer.field(kFormats, kNoFormat).field(kHashedFormats, formats);
  writer.field(kExpected, request.expected_sha256);
}

} // namespace

std::string to_json(ImportRequest const& request) {
  auto const& draft = request.draft;
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("registers", request.registers);
  writer.field(kHasSubJob, request.has_sub_job);
  writer.field("bucket", request.source.bucket).field("object", request.source.object);
  writer.field("size_bytes_max", request.size_bytes_max);
  if (auto const& slice = request.slice) {
    writer.field(kSliceOffset, static_cast<std::int64_t>(slice->offset));
    writer.field("slice_size", static_cast<std::int64_t>(slice->size_bytes));
    writer.field("slice_etag", slice->etag);
  }
  write_formats(writer, request);
  writer.field("image", draft.id.text).field("owner", draft.owner.text);
  writer.field("name", draft.name.value_or(""));
  writer.field("min_disk", draft.min_disk_gib).field("min_ram", draft.min_ram_mib);
  writer.field("properties", draft.properties_json).field("tags", draft.tags_json).end_object();
  return out;
}

Result<ImportRequest> import_from_json(std::string_view arguments) {
  auto const stored = TRY(Arguments::parse(arguments));
  ImportRequest request;
  request.registers = TRY(stored.flag("registers"));
  request.source.bucket = TRY(stored.text("bucket"));
  request.source.object = TRY(stored.text("object"));
  request.size_bytes_max = TRY(stored.integer("size_bytes_max"));
  request.has_sub_job = TRY(stored.flag(kHasSubJob));
  if (stored.has(kSliceOffset)) request.slice = TRY(slice_in(stored));
  if (stored.has(kExpected)) request.expected_sha256 = TRY(stored.text(kExpected));
  auto const formats = TRY(stored.text(stored.has(kExpected) ? kHashedFormats : kFormats));
  for (auto const format : text::split(formats, ',')) {
    if (!format.empty()) request.formats.emplace_back(format);
  }
  auto& draft = request.draft;
  draft.id.text = TRY(stored.text("image"));
  draft.owner.text = TRY(stored.text("owner"));
  draft.name = TRY(stored.text("name"));
  draft.container_format = "bare";
  draft.min_disk_gib = TRY(stored.integer("min_disk"));
  draft.min_ram_mib = TRY(stored.integer("min_ram"));
  draft.properties_json = TRY(stored.text("properties"));
  draft.tags_json = TRY(stored.text("tags"));
  return request;
}

namespace {

/// One attempt.
class Import {
public:
  Import(JobContext& context, ImportServices const& services, ImportTeller const& teller,
         ImportRequest const& request)
      : context_(context), imports_(services.imports), encryption_(services.encryption),
        uploads_(services.uploads), buckets_(services.buckets), teller_(teller), request_(request) {
  }

  Result<bool> run() {
    if (TRY(was_made())) return false;
    auto const object = TRY(open());
    auto const image = TRY(begin());
    auto const [offset, size_bytes] = range(*object);
    auto data = TRY(data_of(image));
    auto upload =
        TRY(uploads_.begin_announced(context_.caller(), image, size_bytes, std::move(data)));
    auto const carried = carry(*object, offset, size_bytes, *upload);
    if (!carried) {
      upload->abandon(carried.error());
      return Error(carried.error());
    }
    TRY(upload->finish());
    return true;
  }

private:
  // By an attempt that ended before it could say so. What became of the file since is no matter.
  Result<bool> was_made() {
    auto const& id = teller_.row.image;
    if (id.empty()) return false;
    bool made = false;
    auto const read = context_.read([&](store::Connection& connection) -> Result<> {
      made = TRY(service::is_whole(connection, id));
      return {};
    });
    if (!read) return Error(read.error());
    return made;
  }

  Result<std::unique_ptr<store::BucketObject>> open() {
    store::BucketUser const user{context_.caller().user, context_.caller().project};
    auto object = buckets_.open(user, request_.source);
    if (!object) return final_error(object.error());
    if (request_.slice && (*object)->info().etag != request_.slice->etag) {
      return error(Fault::object_unreadable, "it was changed while it was imported");
    }
    auto const size_bytes = range(**object).second;
    auto const most = std::min(request_.size_bytes_max, uploads_.size_bytes_max());
    if (std::cmp_greater(size_bytes, most)) {
      return error(Fault::image_too_large, fmt::format("{} bytes, at most {}", size_bytes, most));
    }
    return object;
  }

  /// Where the bytes of the image stand, and how many they are.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t>
  range(store::BucketObject const& object) const {
    if (!request_.slice) return {0, object.info().size_bytes};
    return {request_.slice->offset, request_.slice->size_bytes};
  }

  Result<model::Image> begin() {
    std::optional<model::Image> image;
    auto const begin = [&](store::Connection& connection, service::KeyStates& states) -> Result<> {
      auto const& job = context_.job();
      auto const& row = teller_.row;
      service::Batch const batch{context_.caller(), job.id, context_.now()};
      image = TRY(imports_.begin(connection, states, batch, request_, !row.image.empty()));
      auto const name = request_.registers ? std::string() : *image->name;
      store::Jobs jobs(connection);
      if (is_sub_job()) TRY(jobs.begin_sub_job(row.id, batch.now));
      // Of several images the job tells of the first.
      if (is_sub_job() && teller_.position == 0) TRY(jobs.set_image(job.id, image->id, name));
      return jobs.set_image(row.id, image->id, name);
    };
    auto const begun = encryption_.in_unit(
        [&](store::Database::Work const& unit) { return context_.commit(0, unit); }, begin);
    if (!begun) return Error(begun.error());
    return std::move(*image);
  }

  Result<service::JobData> data_of(model::Image const& image) {
    service::JobData data{.job = context_.job().id,
                          .kind = request_.registers ? model::audit::image_upload
                                                     : model::audit::image_create,
                          .adapt = [this](formats::Accepted const& found, model::Image& adapted) {
                            return imports_.adapt(request_, found, adapted);
                          }};
    data.seal = TRY(imports_.seal(image));
    if (auto expected = service::expected_hash(request_)) data.hashes.push_back(*expected);
    return data;
  }

  Result<> carry(store::BucketObject& object, std::uint64_t offset, std::uint64_t size_bytes,
                 service::Upload& upload) {
    std::int64_t done = 0;
    auto const room = [&] { return upload.block(); };
    auto const streamed = object.stream(offset, size_bytes, room, [&](Block block) -> Result<> {
      done += static_cast<std::int64_t>(block.size());
      TRY(upload.write(std::move(block)));
      return advance(done, static_cast<std::int64_t>(size_bytes));
    });
    if (!streamed) return final_error(streamed.error());
    return {};
  }

  Result<> advance(std::int64_t done, std::int64_t total) {
    auto const is_wanted = [&](store::Connection& connection) -> Result<> {
      TRY(service::require_there(connection, request_.draft.id));
      for (auto const& id : teller_.made)
        TRY(service::require_there(connection, id));
      return {};
    };
    if (!is_sub_job()) return context_.advance(done, total, is_wanted);
    constexpr auto kUnits = ImportTeller::kUnits;
    auto const share =
        static_cast<std::int64_t>(static_cast<double>(done) / static_cast<double>(total) * kUnits);
    return context_.advance(
        teller_.position * kUnits + share, teller_.count * kUnits,
        [&](store::Connection& connection) -> Result<> {
          TRY(is_wanted(connection));
          return store::Jobs(connection).advance_sub_job(teller_.row.id, done, total);
        });
  }

  [[nodiscard]] bool is_sub_job() const { return !teller_.row.parent.empty(); }

  JobContext& context_;
  service::Imports const& imports_;
  service::Encryption const& encryption_;
  service::Uploads& uploads_;
  store::Buckets& buckets_;
  ImportTeller const& teller_;
  ImportRequest const& request_;
};

JobKind import_kind(std::string_view name, KindServices const& services) {
  return {
      .name = name,
      .run = [use = ImportServices{services.imports, services.encryption, services.uploads,
                                   services.buckets}](JobContext& context) -> Result<> {
        auto const request = TRY(import_from_json(context.job().arguments_json));
        TRY(import_one(context, use, {.row = context.job()}, request));
        return {};
      },
      .give_up = [&imports = services.imports](JobContext& context, Error const& why) -> Result<> {
        auto const request = TRY(import_from_json(context.job().arguments_json));
        bool made = false; // by an attempt that ended before it could say so
        auto reason = why;
        auto const told = context.commit(0, [&](store::Connection& connection) -> Result<> {
          auto const& job = context.job();
          made = TRY(service::is_whole(connection, request.draft.id));
          if (made) return {};
          reason = why;
          TRY(find_reason(connection, job.id, reason));
          service::Batch const batch{context.caller(), job.id, context.now()};
          TRY(imports.give_up(connection, batch, request, reason));
          if (request.registers) return {};
          return store::Jobs(connection).set_image(job.id, {}, {});
        });
        if (!told || made) return told;
        return reason;
      }};
}

} // namespace

Result<bool> import_one(JobContext& context, ImportServices const& services,
                        ImportTeller const& teller, service::ImportRequest const& request) {
  return Import(context, services, teller, request).run();
}

FlowLimit create_limit() {
  return {.kinds = {kImportImage, kImportIso, kImportData, kRegisterImage, kImportImages,
                    kCaptureServer, kCaptureVolume, kCaptureVolumes, kCaptureWholeServer,
                    kCaptureBackup},
          .of_project = false,
          .most = limits::create_jobs};
}

Result<bool> has_sub_job(model::Job const& job) {
  if (job.kind != kImportData) return false;
  return TRY(import_from_json(job.arguments_json)).has_sub_job;
}

Order import_order(std::string_view kind, model::Caller const& caller,
                   service::Imports const& imports, service::ImportRequest const& request) {
  bool const registers = request.registers;
  auto const& draft = request.draft;
  Order order{.kind = kind,
              .arguments_json = to_json(request),
              .audit = registers ? model::audit::image_update : model::audit::image_create,
              .images = {draft.id},
              .lane = model::JobLane::carrying,
              .about = registers ? draft.id : ImageId{},
              .image = registers ? draft.id : ImageId{},
              .image_name = registers ? "" : draft.name.value_or(""),
              .limit = create_limit(),
              .unserved = imports.unserved()};
  order.with = [&caller, &imports, request](store::Connection& connection,
                                            service::KeyStates& states) {
    return imports.take(connection, states, caller, request);
  };
  return order;
}

JobKind import_image(KindServices const& services) { return import_kind(kImportImage, services); }
JobKind import_iso(KindServices const& services) { return import_kind(kImportIso, services); }
JobKind import_data(KindServices const& services) { return import_kind(kImportData, services); }
JobKind register_image(KindServices const& services) {
  return import_kind(kRegisterImage, services);
}

} // namespace vitrine::jobs
