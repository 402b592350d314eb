// GET /v1/{project_id}/cloudimages/{image_id}/members and …/{member_id} (contract: ims-api 5.4).
#include "api/ims/path.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/sharing.hpp"

#include <algorithm>
#include <span>

namespace vitrine::api::ims {
namespace {

using Members = std::vector<model::Member>;

void write_member(json::Writer& writer, model::Member const& member) {
  writer.begin_object().field("status", name_of(member.status));
  writer.field("created_at", format_seconds(member.created_at));
  writer.field("updated_at", format_seconds(member.updated_at));
  writer.field("image_id", member.image.text).field("member_id", member.project.text);
  writer.field("schema", "/v2/schemas/member").field("member_type", "project").end_object();
}

Result<std::size_t> read_limit(Query const& query) {
  constexpr std::size_t kDigitsMax = 18; // of a number that surely fits
  constexpr auto most = static_cast<std::int64_t>(limits::member_page_default);
  auto const text = query.last("limit");
  if (!text) return static_cast<std::size_t>(most);
  bool const is_number = text->find_first_not_of("0123456789") == text->npos;
  if (is_number && text->size() > kDigitsMax) return static_cast<std::size_t>(most);
  auto const limit = text::parse_int(*text);
  if (!limit || *limit < 0) {
    return error(Fault::invalid_query, "limit must be a whole number from 0", "limit");
  }
  return static_cast<std::size_t>(std::min(*limit, most));
}

/// The members after the marker.
Result<std::span<model::Member const>> after_marker(Query const& query, Members const& members) {
  std::span<model::Member const> const all(members);
  auto const marker = query.last("marker");
  if (!marker) return all;
  auto const at =
      std::ranges::find_if(all, [&](auto const& member) { return member.project.text == *marker; });
  if (at == all.end()) return error(Fault::invalid_marker, {}, "marker");
  return all.subspan(static_cast<std::size_t>(at - all.begin()) + 1);
}

Result<Reply> list(Context& context, Services& services) {
  auto const image = path_image(context);
  auto const query = context.query.without_empty();
  auto const limit = TRY(read_limit(query));
  auto const members = TRY(services.sharing.visible_members(context.caller, image));
  auto const rest = TRY(after_marker(query, members));
  auto const page = rest.first(std::min(limit, rest.size()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("members").begin_array();
  for (auto const& member : page)
    write_member(writer, member);
  writer.end_array().field("schema", "/v2/schemas/members");
  writer.key("page_info").begin_object().key("next_marker");
  if (page.size() < rest.size() && !page.empty()) {
    writer.string(page.back().project.text);
  } else {
    writer.null();
  }
  writer.field("current_count", static_cast<std::int64_t>(page.size()));
  writer.end_object().end_object();
  return json_reply(200, std::move(body));
}

Result<Reply> show(Context& context, Services& services) {
  auto const image = path_image(context);
  auto const& wanted = context.param("member_id");
  auto const members = TRY(services.sharing.visible_members(context.caller, image));
  auto const at = std::ranges::find_if(
      members, [&](auto const& member) { return member.project.text == wanted; });
  // What the path names is not there: the family has one code for that (contract: ims-api 2.4).
  if (at == members.end()) return error(Fault::image_not_found);
  std::string body;
  json::Writer writer(body);
  write_member(writer, *at);
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint list_members() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1/{project_id}/cloudimages/{image_id}/members",
       .name = "ims.v1.list_members",
       .family = &ims_family,
       .action = "ims:images:get",
       .errors = {Fault::forbidden, Fault::invalid_project_id, Fault::project_mismatch,
                  Fault::invalid_image_id, Fault::invalid_query, Fault::image_not_found,
                  Fault::invalid_marker},
       .summary = "List the members of an image, in pages.",
       .query = {{"limit", "Members of a page, at most 256."},
                 {"marker", "The last member of the page before."}}},
      list);
}

Endpoint show_member() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1/{project_id}/cloudimages/{image_id}/members/{member_id}",
       .name = "ims.v1.show_member",
       .family = &ims_family,
       .action = "ims:images:get",
       .errors = {Fault::forbidden, Fault::invalid_project_id, Fault::project_mismatch,
                  Fault::invalid_image_id, Fault::image_not_found},
       .summary = "Show a member of an image."},
      show);
}

} // namespace vitrine::api::ims
