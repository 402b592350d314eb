#include "service/exports.hpp"

#include "base/text.hpp"
#include "service/sharing_rules.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/images.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace vitrine::service {
namespace {

using formats::Format;

// What can be read; the plain kinds are disks without a structure.
constexpr std::array<std::pair<std::string_view, Format>, 14> kFormats = {
    {{"raw", Format::raw},
     {"ami", Format::raw},
     {"ari", Format::raw},
     {"aki", Format::raw},
     {"qcow2", Format::qcow2},
     {"qcow", Format::qcow},
     {"qed", Format::qed},
     {"vmdk", Format::vmdk},
     {"vhd", Format::vhd},
     {"vhdx", Format::vhdx},
     {"vdi", Format::vdi},
     {"ploop", Format::ploop},
     {"zvhd", Format::zvhd},
     {"zvhd2", Format::zvhd2}}};

Result<Format> format_named(std::string_view name) {
  auto const* const at =
      std::ranges::find(kFormats, name, &std::pair<std::string_view, Format>::first);
  if (at != kFormats.end()) return at->second;
  return error(Fault::format_unwritable, fmt::format("the image is stored as {}", name));
}

// The bytes of a kernel or a ramdisk are raw as they are.
bool converts(model::Image const& image, ExportRequest const& request) {
  if (request.format.empty()) return false;
  auto const from = format_named(image.disk_format.value_or(""));
  auto const to = format_named(request.format);
  return !from || !to || *from != *to;
}

// In any other container the disk is wrapped, or may be: its bytes are not in its format.
Result<> require_bare(model::Image const& image) {
  constexpr std::array<std::string_view, 4> kBare = {"bare", "ami", "ari", "aki"};
  auto const container = image.container_format.value_or("bare");
  if (std::ranges::find(kBare, container) != kBare.end()) return {};
  return error(
      Fault::format_unwritable,
      fmt::format("the image is stored as {}, which can only be exported as it is", container));
}

bool is_forbidden(model::Image const& image) {
  return text::equals_ignoring_case(image.property("export_forbidden").value_or(""), "true");
}

} // namespace

Exports::Exports(Access const& access, Encryption const& encryption, store::Buckets const& buckets,
                 convert::Converter& converter)
    : access_(access), encryption_(encryption), buckets_(buckets), converter_(converter),
      download_(access.action("download_image")) {}

// An image that was made from a public one may be no more exported than that (contract: ims-api
// 6.8, D40).
Result<> Exports::check_kind(store::Connection& connection, model::Image const& image) const {
  if (is_full_server(image)) return error(Fault::full_server_not_exported);
  if (is_from_backup(image)) return error(Fault::from_backup);
  if (is_iso(image)) return error(Fault::iso_image);
  if (is_forbidden(image)) return error(Fault::export_forbidden);
  auto const parent = image.property("__originalimagename").value_or("");
  if (parent.empty()) return {};
  auto const found = TRY(store::Images(connection).find(ImageId{parent}));
  bool const forbids =
      found && found->visibility == model::Visibility::public_ && is_forbidden(*found);
  return forbids ? error(Fault::export_forbidden) : Result<>();
}

Result<> Exports::check_conversion(model::Image const& image, std::string_view format) const {
  auto const from = TRY(format_named(image.disk_format.value_or("")));
  auto const to = TRY(format_named(format));
  TRY(converter_.check(from, to));
  auto const disk_bytes = image.virtual_size_bytes.value_or(0);
  if (!std::cmp_greater(disk_bytes, converter_.disk_bytes_max())) return {};
  return error(Fault::export_too_large,
               fmt::format("its disk has {} bytes, at most {} can be converted", disk_bytes,
                           converter_.disk_bytes_max()));
}

Result<ExportSource> Exports::admit(store::Connection& connection, KeyStates& states,
                                    model::Caller const& caller,
                                    ExportRequest const& request) const {
  auto found = TRY(store::Images(connection).get_for(request.image, caller));
  auto const& image = found.image;
  Sight const sight{image, found.membership};
  TRY(access_.require_seen(caller, sight));
  if (image.visibility == model::Visibility::public_) return error(Fault::public_not_exported);
  TRY(access_.require_owned(caller, sight));
  if (image.status != model::ImageStatus::active) return error(Fault::image_not_active);
  TRY(check_kind(connection, image));
  auto const size_bytes = image.size_bytes.value_or(0);
  if (!request.format.empty() && size_bytes > limits::export_size_bytes) {
    return error(Fault::export_too_large,
                 fmt::format("{} bytes, at most {}", size_bytes, limits::export_size_bytes));
  }
  if (request.format.empty() && key_of(image)) {
    return error(Fault::not_offered, "an encrypted image cannot be exported as it is stored",
                 "is_quick_export");
  }
  TRY(access_.require(download_, caller, sight));
  TRY(Encryption::check_use(connection, states, caller, image));
  if (!request.format.empty()) TRY(require_bare(image));
  if (converts(image, request)) TRY(check_conversion(image, request.format));
  auto key = TRY(store::ImageKeys(connection).find(image.id));
  return ExportSource{std::move(found.image), std::move(key)};
}

std::optional<Error> Exports::unserved() const {
  return buckets_.is_configured() ? std::nullopt : std::optional(error(Fault::no_object_store));
}

Result<std::unique_ptr<StoredBytes>> Exports::open(ExportSource const& source,
                                                   ExportRequest const& request,
                                                   formats::Progress const& progress) const {
  auto const& image = source.image;
  auto data = TRY(encryption_.open_whole(image, source.key));
  if (!converts(image, request)) return data;
  auto const from = TRY(format_named(image.disk_format.value_or("")));
  auto const to = TRY(format_named(request.format));
  auto converted = TRY(converter_.convert(*data, from, to, progress));
  return std::move(converted.data);
}

Result<> Exports::tell(store::Connection& connection, Batch const& batch,
                       ExportRequest const& request, std::optional<Error> const& why) const {
  auto const image = TRY(store::Images(connection).find(request.image));
  model::AuditEvent event{.kind = model::audit::image_export,
                          .time = batch.now,
                          .caller = batch.caller,
                          .image = request.image,
                          .image_name = image ? image->name.value_or("") : "",
                          .image_owner = image ? image->owner : ProjectId{},
                          .job = batch.job,
                          .pairs = {},
                          .failure = why};
  return store::Audit(connection).record(event);
}

} // namespace vitrine::service
