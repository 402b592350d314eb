#include "cloud/nova/nova.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::cloud {
namespace {

std::string path_of(std::string_view server) { return "/servers/" + text::percent_encode(server); }

} // namespace

Result<Server> Nova::server(Rights const& rights, std::string_view id) {
  auto const path = path_of(id);
  auto const answer = TRY(calls_.ask(rights, {.path = path}));
  if (answer.status == 404) return error(Fault::server_unknown);
  auto const* found = object_in(answer.body, "server");
  if (!answer.is_good() || found == nullptr) return calls_.refused(answer);
  Server server{.status = text_in(*found, "status"),
                .task = text_in(*found, "OS-EXT-STS:task_state"),
                .image = text_in(*found, "image", "id"), // "" in place of an object: a volume
                .volumes = {}};
  server.volumes = TRY(volumes_of(rights, path));
  return server;
}

Result<std::vector<std::string>> Nova::volumes_of(Rights const& rights, std::string const& path) {
  auto const answer = TRY(calls_.ask(rights, {.path = path + "/os-volume_attachments"}));
  if (answer.status == 404) return error(Fault::server_unknown);
  auto const* attached = list_in(answer.body, "volumeAttachments");
  if (!answer.is_good() || attached == nullptr) return calls_.refused(answer);
  std::vector<std::pair<std::string, std::string>> by_device;
  for (auto const& value : *attached) {
    if (auto const* one = value.if_object()) {
      by_device.emplace_back(text_in(*one, "device"), text_in(*one, "volumeId"));
    }
  }
  // /dev/vdb comes before /dev/vdaa.
  std::ranges::sort(by_device, {},
                    [](auto const& pair) { return std::pair(pair.first.size(), pair.first); });
  std::vector<std::string> volumes;
  for (auto& [device, volume] : by_device)
    volumes.push_back(std::move(volume));
  return volumes;
}

Result<ImageId> Nova::start_image(Rights const& rights, std::string_view server,
                                  std::string_view name) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("createImage").begin_object().field("name", name);
  writer.key("metadata").begin_object().end_object().end_object().end_object();
  auto const answer = TRY(calls_.ask(
      rights, {.method = "POST", .path = path_of(server) + "/action", .body = std::move(body)}));
  if (answer.status == 404) return error(Fault::server_unknown);
  if (answer.status == 409) return error(Fault::server_busy, answer.message);
  ImageId const image{text_in(answer.body, "image_id")};
  if (!answer.is_good() || image.empty()) return calls_.refused(answer);
  return image;
}

} // namespace vitrine::cloud
