#include "api/image/members/member_body.hpp"

namespace vitrine::api::image {

void write_member(json::Writer& writer, model::Member const& member) {
  writer.begin_object().field("member_id", member.project.text);
  writer.field("image_id", member.image.text).field("status", name_of(member.status));
  writer.field("created_at", format_seconds(member.created_at));
  writer.field("updated_at", format_seconds(member.updated_at));
  writer.field("schema", "/v2/schemas/member").end_object();
}

Reply member_reply(model::Member const& member) {
  std::string body;
  json::Writer writer(body);
  write_member(writer, member);
  return json_reply(200, std::move(body));
}

} // namespace vitrine::api::image
