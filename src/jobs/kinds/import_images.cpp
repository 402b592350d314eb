#include "jobs/kinds/import_images.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"
#include "formats/ova.hpp"
#include "jobs/kinds/arguments.hpp"
#include "jobs/kinds/deleted_images.hpp"
#include "jobs/kinds/import_image.hpp"
#include "jobs/kinds/kinds.hpp"
#include "jobs/kinds/outside.hpp"
#include "model/image_texts.hpp"
#include "store/buckets/buckets.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::jobs {
namespace {

using service::ImportRequest;

Result<> nothing_more(store::Connection&) { return {}; }

/// What is stored with the job: the requests for the disks of an OVA. Files of their own have
/// theirs in the sub jobs, which are there from the start.
struct Ova {
  ImportRequest system;
  ImportRequest data;
};

std::string ova_to_json(Ova const& ova) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("system", to_json(ova.system)).field("data", to_json(ova.data));
  writer.end_object();
  return out;
}

Result<Ova> ova_from_json(std::string_view text) {
  auto const stored = TRY(Arguments::parse(text));
  auto const system = TRY(stored.text("system"));
  auto const data = TRY(stored.text("data"));
  Ova ova;
  ova.system = TRY(import_from_json(system));
  ova.data = TRY(import_from_json(data));
  return ova;
}

model::SubJob sub_job(std::string_view kind, ImportRequest const& request) {
  return {.kind = kind,
          .arguments_json = to_json(request),
          .image_name = request.draft.name.value_or("")};
}

/// Says of which image it is that the job failed.
Error of_image(ImportRequest const& request, Error const& why) {
  auto const what = fmt::format("image {}", request.draft.name.value_or(""));
  return error(why.fault, why.detail.empty() ? what : fmt::format("{}: {}", what, why.detail));
}

/// One attempt, or the end of all.
class Together {
public:
  Together(JobContext& context, ImportServices const& services, store::Database& database)
      : context_(context), services_(services), database_(database) {}

  Result<> run() {
    auto parts = TRY(stored_parts());
    if (was_told(parts)) return {};
    if (parts.empty()) parts = TRY(find_parts());
    auto const count = std::ssize(parts);
    TRY(context_.advance(0, count * ImportTeller::kUnits));
    std::vector<ImageId> images;
    for (std::int64_t i = 0; i < count; ++i) {
      auto const& part = parts[static_cast<std::size_t>(i)];
      auto const request = TRY(import_from_json(part.arguments_json));
      if (part.failure) return of_image(request, *part.failure);
      context_.resume_at(i * ImportTeller::kUnits);
      auto const made = import_one(context_, services_, {part, i, count, images}, request);
      if (!made && made.error().kind() == Kind::unavailable) return Error(made.error());
      if (!made) return fail(part, request, made.error());
      images.push_back(request.draft.id);
      // No other attempt has to make it.
      if (*made) TRY(context_.commit(ImportTeller::kUnits, nothing_more));
    }
    return context_.commit(0,
                           [&](store::Connection& connection) { return end(connection, parts); });
  }

  /// No image of the request stays, unless all were made and only that was not told.
  Result<> give_up(Error const& why) {
    auto const parts = TRY(stored_parts());
    if (was_told(parts)) return {};
    bool made = false;
    auto reason = why;
    auto const told = context_.commit(0, [&](store::Connection& connection) -> Result<> {
      made = TRY(are_whole(connection, parts));
      if (made) return end(connection, parts);
      bool const is_told = std::ranges::any_of(
          parts, [](model::Job const& part) { return part.failure.has_value(); });
      if (!is_told) reason = TRY(fail_deleted(connection)).value_or(why);
      return take_back_all(connection, reason);
    });
    if (!told || made) return told;
    return reason;
  }

private:
  /// Whether an attempt that ended right after has said that all images are made: what became of
  /// them or of their files since is no matter.
  static bool was_told(std::vector<model::Job> const& parts) {
    return !parts.empty() && std::ranges::all_of(parts, [](model::Job const& part) {
      return part.ended_at && !part.failure;
    });
  }

  static Result<bool> are_whole(store::Connection& connection,
                                std::vector<model::Job> const& parts) {
    for (auto const& part : parts) {
      auto const request = TRY(import_from_json(part.arguments_json));
      if (!TRY(service::is_whole(connection, request.draft.id))) return false;
    }
    return !parts.empty();
  }

  [[nodiscard]] service::Batch batch() const {
    return {context_.caller(), context_.job().id, context_.now()};
  }

  Result<std::vector<model::Job>> stored_parts() {
    return database_.read([&](store::Connection& connection) {
      return store::Jobs(connection).sub_jobs(context_.job().id);
    });
  }

  /// Looks into the archive. From then on its disks are what the sub jobs say.
  Result<std::vector<model::Job>> find_parts() {
    auto const requests = TRY(requests_of_disks());
    auto const begin = [&](store::Connection& connection, service::KeyStates& states) -> Result<> {
      std::vector<model::SubJob> parts;
      for (auto const& request : requests) {
        TRY(services_.imports.take(connection, states, context_.caller(), request,
                                   std::ssize(requests)));
        parts.push_back(sub_job(parts.empty() ? kImportImage : kImportData, request));
      }
      return store::Jobs(connection).insert_sub_jobs(context_.job(), parts);
    };
    auto const stored = services_.encryption.in_unit(
        [&](store::Database::Work const& unit) { return context_.commit(0, unit); }, begin);
    if (!stored) return Error(stored.error());
    return stored_parts();
  }

  Result<std::vector<ImportRequest>> requests_of_disks() {
    auto const ova = TRY(ova_from_json(context_.job().arguments_json));
    store::BucketUser const user{context_.caller().user, context_.caller().project};
    auto object = services_.buckets.open(user, ova.system.source);
    if (!object) return final_error(object.error());
    auto const& info = (*object)->info();
    if (std::cmp_greater(info.size_bytes, ova.system.size_bytes_max)) {
      return error(Fault::image_too_large,
                   fmt::format("{} bytes, at most {}", info.size_bytes, ova.system.size_bytes_max));
    }
    auto const whole = service::Imports::check_whole(
        **object, ova.system, [&] { return context_.advance(0, ImportTeller::kUnits); });
    if (!whole) return final_error(whole.error());
    auto const disks = formats::ova_disks(**object);
    if (!disks) return final_error(disks.error());
    if (std::ssize(*disks) > 1 + limits::import_data_disks) {
      return error(Fault::too_many_images,
                   fmt::format("the OVA has {} disks, at most {}", disks->size(),
                               1 + limits::import_data_disks));
    }
    std::vector<ImportRequest> requests;
    for (auto const& disk : *disks) {
      auto& request = requests.emplace_back(requests.empty() ? ova.system : ova.data);
      request.slice = service::ImportSlice{disk.offset, disk.size_bytes, info.etag};
      request.expected_sha256.clear(); // of the whole archive
      if (requests.size() == 1) continue;
      request.draft.id = {new_uuid()};
      request.draft.name = model::data_disk_name(*ova.system.draft.name, requests.size() - 1);
    }
    return requests;
  }

  Result<> fail(model::Job const& part, ImportRequest const& request, Error const& why) {
    std::optional<Error> deleted;
    auto const told = context_.commit(0, [&](store::Connection& connection) -> Result<> {
      deleted = TRY(fail_deleted(connection));
      return deleted ? Result<>() : take_back(connection, part, request, why);
    });
    if (!told) return told;
    return deleted.value_or(of_image(request, why));
  }

  /// Somebody deleted an image: that is why the others go, too, whichever was made just then.
  /// Returns what the job is to tell of it.
  Result<std::optional<Error>> fail_deleted(store::Connection& connection) {
    auto const parts = TRY(store::Jobs(connection).sub_jobs(context_.job().id));
    for (auto const& part : parts) {
      if (part.ended_at || !TRY(is_image_deleted(connection, part))) continue;
      auto const request = TRY(import_from_json(part.arguments_json));
      auto const why = service::deleted_meanwhile();
      TRY(take_back(connection, part, request, why));
      return std::optional(of_image(request, why));
    }
    return std::optional<Error>();
  }

  Result<> take_back(store::Connection& connection, model::Job const& part,
                     ImportRequest const& request, Error const& why) {
    TRY(services_.imports.take_back(connection, batch(), request, why));
    return store::Jobs(connection).end_sub_job(part.id, context_.now(), why);
  }

  Result<> take_back_all(store::Connection& connection, Error const& why) {
    auto const parts = TRY(store::Jobs(connection).sub_jobs(context_.job().id));
    for (auto const& part : parts) {
      if (part.ended_at) continue;
      auto const request = TRY(import_from_json(part.arguments_json));
      TRY(take_back(connection, part, request, why));
    }
    if (parts.empty()) {
      auto const ova = TRY(ova_from_json(context_.job().arguments_json));
      TRY(services_.imports.give_up(connection, batch(), ova.system, why));
    }
    return store::Jobs(connection).set_image(context_.job().id, {}, {});
  }

  /// All at once: a sub job that is told to have succeeded is never taken back.
  Result<> end(store::Connection& connection, std::vector<model::Job> const& parts) {
    for (auto const& part : parts) {
      auto const request = TRY(import_from_json(part.arguments_json));
      TRY(store::Images(connection).get(request.draft.id));
      TRY(store::Jobs(connection).end_sub_job(part.id, context_.now(), std::nullopt));
    }
    return {};
  }

  JobContext& context_;
  ImportServices const& services_;
  store::Database& database_;
};

Order order_of(std::string arguments_json, ImportRequest const& first,
               service::Imports const& imports) {
  return {.kind = kImportImages,
          .arguments_json = std::move(arguments_json),
          .audit = model::audit::image_create,
          .images = {first.draft.id},
          .lane = model::JobLane::carrying,
          .image_name = first.draft.name.value_or(""),
          .limit = create_limit(),
          .unserved = imports.unserved()};
}

} // namespace

Order images_order(model::Caller const& caller, service::Imports const& imports,
                   std::vector<ImagePart> const& parts) {
  auto order = order_of("{}", parts.front().request, imports);
  order.images.clear();
  for (auto const& [kind, request] : parts) {
    order.images.push_back(request.draft.id);
    order.sub_jobs.push_back(sub_job(kind, request));
  }
  order.with = [&caller, &imports, parts](store::Connection& connection,
                                          service::KeyStates& states) -> Result<> {
    for (auto const& part : parts)
      TRY(imports.take(connection, states, caller, part.request, std::ssize(parts)));
    return {};
  };
  return order;
}

Order ova_order(model::Caller const& caller, service::Imports const& imports,
                ImportRequest const& system, ImportRequest const& data) {
  auto order = order_of(ova_to_json({system, data}), system, imports);
  order.with = [&caller, &imports, system](store::Connection& connection,
                                           service::KeyStates& states) {
    return imports.take(connection, states, caller, system);
  };
  return order;
}

JobKind import_images(KindServices const& services) {
  ImportServices const use{services.imports, services.encryption, services.uploads,
                           services.buckets};
  auto& database = services.database;
  return {.name = kImportImages,
          .run = [use, &database](
                     JobContext& context) { return Together(context, use, database).run(); },
          .give_up =
              [use, &database](JobContext& context, Error const& why) {
                return Together(context, use, database).give_up(why);
              }};
}

} // namespace vitrine::jobs
