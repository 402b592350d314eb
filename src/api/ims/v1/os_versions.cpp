// GET /v1/cloudimages/os_version (contract: ims-api 6.9).
#include "service/os_versions/os_versions.hpp"

#include "api/kit/endpoint.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace vitrine::api::ims {
namespace {

using service::OsVersion;

// What a tag says of an operating system; one of no meaning says something that is true of none.
bool has_tag(OsVersion const& version, std::string_view tag) {
  bool const linux = version.type == "Linux";
  if (tag == "kvm" || tag == "x86") return true;
  if (tag == "bms") return linux;
  if (tag == "uefi") return version.uefi;
  return tag == "arm" && linux && version.uefi;
}

struct Platform {
  std::string_view name;
  std::vector<OsVersion const*> versions;
};

std::vector<Platform> platforms(std::span<OsVersion const> versions,
                                std::vector<std::string_view> const& tags) {
  std::vector<Platform> out;
  for (auto const& version : versions) {
    auto const fits = [&](std::string_view tag) { return has_tag(version, tag); };
    if (!std::ranges::all_of(tags, fits)) continue;
    auto at = std::ranges::find(out, version.platform, &Platform::name);
    if (at == out.end()) at = out.insert(out.end(), Platform{version.platform, {}});
    at->versions.push_back(&version);
  }
  return out;
}

Result<Reply> run(Context& context, Services& services) {
  auto const query = context.query.without_empty();
  std::string body;
  json::Writer writer(body);
  writer.begin_array();
  for (auto const& platform : platforms(services.os_versions.all(), query.all("tag"))) {
    writer.begin_object().field("platform", platform.name).key("version_list").begin_array();
    for (auto const* version : platform.versions) {
      writer.begin_object().field("platform", std::string_view(version->platform));
      writer.field("os_version_key", std::string_view(version->text));
      writer.field("os_version", std::string_view(version->text)).field("os_bit", version->bit);
      writer.field("os_type", std::string_view(version->type)).end_object();
    }
    writer.end_array().end_object();
  }
  writer.end_array();
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint list_os_versions() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1/cloudimages/os_version",
       .name = "ims.v1.list_os_versions",
       .family = &ims_family,
       .action = "ims:images:list",
       .errors = {Fault::forbidden},
       .summary = "List the operating systems that images may name, by platform.",
       .query = {{"tag", "bms, uefi, arm, x86 or kvm; repeatable, all must hold."}}},
      run);
}

} // namespace vitrine::api::ims
