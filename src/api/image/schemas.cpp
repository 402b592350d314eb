// GET /v2/schemas/{schema}: what generic clients build their models from (contract: glance-v2 5).
#include "api/documents/attributes.hpp"
#include "api/documents/image.hpp"
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

// The properties of an image but its formats and those of profile ims, which stand in front
// (`image_schema`).
constexpr std::string_view kImageRest =
    R"("id":{"type":"string","description":"UUID of the image",)"
    R"("pattern":"^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-)"
    R"(([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"},)"
    R"("name":{"type":["null","string"],"maxLength":255},)"
    R"("status":{"type":"string","readOnly":true,"enum":["queued","saving",)"
    R"("uploading","importing","active","deactivated","killed","deleted","pending_delete"]},)"
    R"("visibility":{"type":"string","enum":["community","public","private","shared"]},)"
    R"("protected":{"type":"boolean"},"os_hidden":{"type":"boolean"},)"
    R"("checksum":{"type":["null","string"],"readOnly":true,"maxLength":32},)"
    R"("os_hash_algo":{"type":["null","string"],"readOnly":true,"maxLength":64},)"
    R"("os_hash_value":{"type":["null","string"],"readOnly":true,"maxLength":128},)"
    R"("owner":{"type":["null","string"],"maxLength":255},)"
    R"("size":{"type":["null","integer"],"readOnly":true},)"
    R"("virtual_size":{"type":["null","integer"],"readOnly":true},)"
    R"("created_at":{"type":"string","readOnly":true},)"
    R"("updated_at":{"type":"string","readOnly":true},)"
    R"("tags":{"type":"array","items":{"type":"string","maxLength":255}},)"
    R"("min_disk":{"type":"integer","minimum":0,"maximum":2147483647},)"
    R"("min_ram":{"type":"integer","minimum":0,"maximum":2147483647},)"
    R"("self":{"type":"string","readOnly":true},"file":{"type":"string","readOnly":true},)"
    R"("direct_url":{"type":"string","readOnly":true},)"
    R"("stores":{"type":"string","readOnly":true},)"
    R"("os_glance_upload_error":{"type":"string","readOnly":true,)"
    R"("description":"Why the last upload failed; shown to the owner"},)"
    R"("schema":{"type":"string","readOnly":true}},)"
    R"("additionalProperties":{"type":"string"},"links":[{"rel":"self","href":"{self}"},)"
    R"({"rel":"enclosure","href":"{file}"},{"rel":"describedby","href":"{schema}"}]})";

constexpr std::string_view kMember =
    R"({"name":"member","properties":{)"
    R"("member_id":{"type":"string","readOnly":true},"image_id":{"type":"string","readOnly":true},)"
    R"("status":{"type":"string","enum":["pending","accepted","rejected"]},)"
    R"("created_at":{"type":"string","readOnly":true},)"
    R"("updated_at":{"type":"string","readOnly":true},)"
    R"("schema":{"type":"string","readOnly":true}}})";

constexpr std::string_view kTask =
    R"({"name":"task","properties":{)"
    R"("id":{"type":"string","readOnly":true},"type":{"type":"string",)"
    R"("enum":["import","api_image_import","location_import"]},)"
    R"("status":{"type":"string","readOnly":true,)"
    R"("enum":["pending","processing","success","failure"]},)"
    R"("input":{"type":["null","object"]},"result":{"type":["null","object"],"readOnly":true},)"
    R"("owner":{"type":"string","readOnly":true},"message":{"type":"string","readOnly":true},)"
    R"("image_id":{"type":"string","readOnly":true},)"
    R"("request_id":{"type":"string","readOnly":true},)"
    R"("user_id":{"type":"string","readOnly":true},)"
    R"("expires_at":{"type":["null","string"],"readOnly":true},)"
    R"("created_at":{"type":"string","readOnly":true},)"
    R"("updated_at":{"type":"string","readOnly":true},)"
    R"("self":{"type":"string","readOnly":true},"schema":{"type":"string","readOnly":true}}})";

void write_formats(json::Writer& writer, std::string_view name,
                   std::span<std::string_view const> formats) {
  writer.key(name).begin_object().key("type").raw(R"(["null","string"])");
  writer.key("enum").begin_array().null();
  for (auto const format : formats)
    writer.string(format);
  writer.end_array().end_object();
}

// Clients hand on and purge what is no base property (Nova does both), and may not with these.
void write_own(json::Writer& writer) {
  for (auto const& [name, read_only] : documents::own_attributes()) {
    writer.key(name).begin_object().field("type", "string");
    writer.field(read_only ? "readOnly" : "is_base", read_only).end_object();
  }
}

std::string image_schema(bool ims_profile) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().field("name", "image").key("properties").begin_object();
  write_formats(writer, "container_format", documents::container_formats());
  write_formats(writer, "disk_format", documents::disk_formats(ims_profile));
  if (ims_profile) write_own(writer);
  writer.raw(kImageRest);
  return body;
}

// A list of what `item` describes; members do not come in pages.
std::string list_schema(std::string_view name, std::string_view item, bool paged) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().field("name", name).key("properties").begin_object();
  writer.key(name).begin_object().field("type", "array").key("items").raw(item).end_object();
  if (paged)
    writer.key("first").raw(R"({"type":"string"})").key("next").raw(R"({"type":"string"})");
  writer.key("schema").raw(R"({"type":"string"})").end_object();
  writer.key("links").raw(
      paged ? R"([{"rel":"first","href":"{first}"},{"rel":"next","href":"{next}"},)"
              R"({"rel":"describedby","href":"{schema}"}])"
            : R"([{"rel":"describedby","href":"{schema}"}])");
  writer.end_object();
  return body;
}

Result<Reply> run(Context& context, Services& services) {
  bool const ims = services.images.options().ims_profile;
  auto const& name = context.param("schema");
  if (name == "image") return json_reply(200, image_schema(ims));
  if (name == "images") return json_reply(200, list_schema(name, image_schema(ims), true));
  if (name == "member") return json_reply(200, std::string(kMember));
  if (name == "members") return json_reply(200, list_schema(name, kMember, false));
  if (name == "task") return json_reply(200, std::string(kTask));
  if (name == "tasks") return json_reply(200, list_schema(name, kTask, true));
  return error(Fault::not_found);
}

} // namespace

Endpoint show_schema() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/schemas/{schema}",
                         .name = "image.v2.show_schema",
                         .family = &image_family,
                         .guard = Guard::token,
                         .errors = {Fault::not_found},
                         .summary = "Show the JSON schema of image, member or task, or of a list."},
                        run);
}

} // namespace vitrine::api::image
