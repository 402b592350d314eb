#include "cloud/cinder/cinder.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace vitrine::cloud {
namespace {

std::string path_of(std::string_view list, std::string_view id) {
  return fmt::format("/{}/{}", list, text::percent_encode(id));
}

// A volume that was attached by hand may be of no server.
std::string server_of(json::Object const& volume) {
  auto const* attachments = list_in(volume, "attachments");
  if (attachments == nullptr || attachments->empty()) return {};
  auto const* first = attachments->front().if_object();
  return first == nullptr ? std::string() : text_in(*first, "server_id");
}

} // namespace

Result<std::optional<json::Object>> Cinder::show(Rights const& rights, std::string_view list,
                                                 std::string_view one, std::string_view id) {
  auto const answer = TRY(calls_.ask(rights, {.path = path_of(list, id)}));
  if (answer.status == 404) return std::nullopt;
  auto const* found = object_in(answer.body, one);
  if (!answer.is_good() || found == nullptr) return calls_.refused(answer);
  return *found;
}

Result<std::optional<std::string>> Cinder::find(Rights const& rights, std::string_view list,
                                                std::string_view name) {
  auto const answer = TRY(
      calls_.ask(rights, {.path = fmt::format("/{}?name={}", list, text::percent_encode(name))}));
  auto const* found = list_in(answer.body, list);
  if (!answer.is_good() || found == nullptr) return calls_.refused(answer);
  for (auto const& value : *found) {
    auto const* one = value.if_object();
    if (one != nullptr && text_in(*one, "name") == name) return text_in(*one, "id");
  }
  return std::nullopt;
}

Result<std::string> Cinder::post(Rights const& rights, std::string path, std::string body,
                                 std::string_view kind, std::string_view id) {
  auto const answer =
      TRY(calls_.ask(rights, {.method = "POST", .path = std::move(path), .body = std::move(body)}));
  auto made = text_in(answer.body, kind, id);
  if (!answer.is_good() || made.empty()) return calls_.refused(answer);
  return made;
}

Result<bool> Cinder::remove(Rights const& rights, std::string_view list, std::string_view id) {
  auto const answer = TRY(calls_.ask(rights, {.method = "DELETE", .path = path_of(list, id)}));
  if (answer.is_good() || answer.status == 404) return true;
  // In a state that passes, such as `uploading` or `deleting`.
  if (answer.status == 400 || answer.status == 409) return false;
  return calls_.refused(answer);
}

Result<std::optional<Volume>> Cinder::volume(Rights const& rights, std::string_view id) {
  auto const found = TRY(show(rights, "volumes", "volume", id));
  if (!found) return std::nullopt;
  auto const* encrypted = found->if_contains("encrypted");
  return Volume{.status = text_in(*found, "status"),
                .size_gib = number_in(*found, "size"),
                .encrypted = encrypted != nullptr && encrypted->is_bool() && encrypted->get_bool(),
                .server = server_of(*found),
                .image = text_in(*found, "volume_image_metadata", "image_id")};
}

Result<std::optional<std::string>> Cinder::snapshot(Rights const& rights, std::string_view id) {
  auto const found = TRY(show(rights, "snapshots", "snapshot", id));
  return found ? std::optional(text_in(*found, "status")) : std::nullopt;
}

Result<std::optional<std::string>> Cinder::volume_named(Rights const& rights,
                                                        std::string_view name) {
  return find(rights, "volumes", name);
}

Result<std::optional<std::string>> Cinder::snapshot_named(Rights const& rights,
                                                          std::string_view name) {
  return find(rights, "snapshots", name);
}

Result<std::string> Cinder::start_snapshot(Rights const& rights, std::string_view volume,
                                           std::string_view name) {
  if (auto found = TRY(snapshot_named(rights, name))) return std::move(*found);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("snapshot").begin_object().field("volume_id", volume);
  writer.field("name", name).field("force", true).end_object().end_object();
  return post(rights, "/snapshots", std::move(body), "snapshot", "id");
}

Result<std::string> Cinder::start_volume(Rights const& rights, std::string_view snapshot,
                                         std::string_view name) {
  if (auto found = TRY(volume_named(rights, name))) return std::move(*found);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("volume").begin_object().field("snapshot_id", snapshot);
  writer.field("name", name).end_object().end_object();
  return post(rights, "/volumes", std::move(body), "volume", "id");
}

Result<ImageId> Cinder::start_image(Rights const& rights, std::string_view volume,
                                    std::string_view name) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("os-volume_upload_image").begin_object().field("image_name", name);
  writer.field("disk_format", "raw").field("container_format", "bare").field("force", true);
  writer.field("visibility", "private").end_object().end_object();
  auto const answer = TRY(calls_.ask(
      rights,
      {.method = "POST", .path = path_of("volumes", volume) + "/action", .body = std::move(body)}));
  if (answer.status == 400) return error(Fault::volume_state, answer.message);
  ImageId const image{text_in(answer.body, "os-volume_upload_image", "image_id")};
  if (!answer.is_good() || image.empty()) return calls_.refused(answer);
  return image;
}

Result<bool> Cinder::remove_volume(Rights const& rights, std::string_view id) {
  return remove(rights, "volumes", id);
}

Result<bool> Cinder::remove_snapshot(Rights const& rights, std::string_view id) {
  return remove(rights, "snapshots", id);
}

Result<std::optional<Backup>> Cinder::backup(Rights const& rights, std::string_view id) {
  auto const found = TRY(show(rights, "backups", "backup", id));
  if (!found) return std::nullopt;
  return Backup{.status = text_in(*found, "status"),
                .size_gib = number_in(*found, "size"),
                .volume = text_in(*found, "volume_id")};
}

Result<std::optional<std::string>> Cinder::backup_named(Rights const& rights,
                                                        std::string_view name) {
  return find(rights, "backups", name);
}

Result<std::string> Cinder::start_backup(Rights const& rights, std::string_view volume,
                                         std::string_view name) {
  if (auto found = TRY(backup_named(rights, name))) return std::move(*found);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("backup").begin_object().field("volume_id", volume);
  writer.field("name", name).field("force", true).end_object().end_object();
  return post(rights, "/backups", std::move(body), "backup", "id");
}

Result<std::string> Cinder::start_restore(Rights const& rights, std::string_view backup,
                                          std::string_view name) {
  if (auto found = TRY(volume_named(rights, name))) return std::move(*found);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("restore").begin_object().field("name", name);
  writer.end_object().end_object();
  return post(rights, path_of("backups", backup) + "/restore", std::move(body), "restore",
              "volume_id");
}

Result<bool> Cinder::remove_backup(Rights const& rights, std::string_view id) {
  return remove(rights, "backups", id);
}

} // namespace vitrine::cloud
