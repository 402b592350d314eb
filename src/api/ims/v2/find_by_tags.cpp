// POST /v2/{project_id}/images/resource_instances/action (contract: ims-api 9.7).
#include "api/ims/fields.hpp"
#include "api/ims/path.hpp"
#include "api/ims/tag_fields.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/tags.hpp"

#include <fmt/format.h>
#include <limits>

namespace vitrine::api::ims {
namespace {

enum class Ask : std::uint8_t { filter, count };

struct Matches {
  std::optional<std::string> name;
  std::optional<ImageId> id;
};

struct Body {
  Ask ask{};
  std::optional<KeyConditions> tags, tags_any, not_tags, not_tags_any;
  std::optional<Flag> without_any_tag;
  std::optional<Matches> matches;
  std::optional<Number> limit, offset;
};

Result<> read_match(Matches& matches, json::Object const& match) {
  auto const text = [&](std::string_view name) -> Result<std::string> {
    auto const* value = detail::find(match, name);
    if (value == nullptr) {
      return error(Fault::invalid_body, fmt::format("matches.{} is missing", name), "matches");
    }
    return Wire<std::string>::read(*value, fmt::format("matches.{}", name));
  };
  auto const key = TRY(text("key"));
  auto value = TRY(text("value"));
  bool const known = key == "resource_name" || key == "resource_id";
  if (!known || (key == "resource_name" ? matches.name.has_value() : matches.id.has_value())) {
    return error(Fault::invalid_body,
                 "matches.key must be resource_name or resource_id, each at most once", "matches");
  }
  if (key == "resource_name")
    matches.name = std::move(value);
  else
    matches.id = ImageId{text::to_lower(value)};
  return {};
}

// A list that is there asks for something.
Result<std::vector<model::KeyCondition>> conditions(std::optional<KeyConditions> const& list,
                                                    std::string_view name) {
  if (!list) return std::vector<model::KeyCondition>();
  if (list->all.empty()) {
    return error(Fault::tag_form, fmt::format("{} is empty", name), std::string(name));
  }
  TRY(model::check_conditions(list->all));
  return list->all;
}

Result<service::TagSearch> search_of(Body const& body) {
  service::TagSearch search;
  search.tags.without_tags = body.without_any_tag && body.without_any_tag->value;
  if (!search.tags.without_tags) {
    search.tags.all = TRY(conditions(body.tags, "tags"));
    search.tags.any = TRY(conditions(body.tags_any, "tags_any"));
    search.tags.not_all = TRY(conditions(body.not_tags, "not_tags"));
    search.tags.not_any = TRY(conditions(body.not_tags_any, "not_tags_any"));
  }
  if (body.matches) {
    search.name = body.matches->name;
    search.id = body.matches->id;
  }
  return search;
}

Result<std::size_t> number(std::optional<Number> const& given, std::string_view name,
                           std::int64_t standard, std::int64_t least, std::int64_t most) {
  if (!given) return static_cast<std::size_t>(standard);
  auto const value = given->value;
  if (value && *value >= least && *value <= most) return static_cast<std::size_t>(*value);
  return error(Fault::invalid_body,
               fmt::format("{} must be a whole number from {} to {}", name, least, most),
               std::string(name));
}

void write_image(json::Writer& writer, model::Image const& image) {
  writer.begin_object().field("resource_id", image.id.text);
  writer.field("resource_name", image.name.value_or(""));
  writer.key("resource_detail").begin_object().field("status", name_of(image.status)).end_object();
  writer.key("tags");
  write_tags(writer, model::tags_of(image.tags()));
  writer.end_object();
}

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const project = path_project(request);
  auto const& body = request.body_value;
  auto const search = TRY(search_of(body));
  std::string answer;
  json::Writer writer(answer);
  if (body.ask == Ask::count) {
    auto const total = TRY(services.tags.count(request.caller, project, search));
    writer.begin_object().field("total_count", static_cast<std::int64_t>(total)).end_object();
    return json_reply(200, std::move(answer));
  }
  auto const limit = TRY(
      number(body.limit, "limit", limits::ims_tagged_page_default, 1, limits::ims_tagged_page_max));
  auto const offset =
      TRY(number(body.offset, "offset", 0, 0, std::numeric_limits<std::int64_t>::max()));
  auto const page = TRY(services.tags.find(request.caller, project, search, offset, limit));
  writer.begin_object().field("total_count", static_cast<std::int64_t>(page.total));
  writer.key("resources").begin_array();
  for (auto const& image : page.images)
    write_image(writer, image);
  writer.end_array().end_object();
  return json_reply(200, std::move(answer));
}

} // namespace
} // namespace vitrine::api::ims

namespace vitrine::api {

template <>
struct Wire<ims::Ask> {
  static constexpr Fault missing = Fault::invalid_body;
  static constexpr std::string_view schema = R"({"type":"string","enum":["filter","count"]})";
  static Result<ims::Ask> read(json::Value const& value, std::string_view field) {
    return static_cast<ims::Ask>(TRY(ims::read_word(value, field, {"filter", "count"})));
  }
};

template <>
struct Wire<ims::Matches> {
  static constexpr std::string_view schema =
      R"({"type":"array","minItems":1,"items":{"type":"object","required":["key","value"],)"
      R"("properties":{"key":{"type":"string","enum":["resource_name","resource_id"]},)"
      R"("value":{"type":"string"}}}})";
  static Result<ims::Matches> read(json::Value const& value, std::string_view field) {
    auto const* array = value.if_array();
    if (array == nullptr) {
      return error(Fault::invalid_body, "matches must be an array", std::string(field));
    }
    if (array->empty()) return error(Fault::tag_form, "matches is empty", std::string(field));
    ims::Matches matches;
    for (auto const& each : *array) {
      auto const* match = each.if_object();
      if (match == nullptr) {
        return error(Fault::invalid_body, "matches must hold objects", std::string(field));
      }
      TRY(ims::read_match(matches, *match));
    }
    return matches;
  }
};

} // namespace vitrine::api

namespace vitrine::api::ims {

Endpoint find_by_tags() {
  return endpoint<Body>(
      {.verb = Verb::post,
       .path = "/v2/{project_id}/images/resource_instances/action",
       .name = "ims.v2.find_by_tags",
       .family = &ims_family,
       .action = "ims:images:list",
       .reads = true,
       .errors = {Fault::forbidden, Fault::empty_body, Fault::invalid_body,
                  Fault::invalid_project_id, Fault::project_mismatch, Fault::tag_form},
       .summary = "Find the own images that have tags, or count them."},
      {required("action", &Body::ask, "filter or count."),
       optional("tags", &Body::tags, "Each holds: a key with one of its values, if any."),
       optional("tags_any", &Body::tags_any, "One holds."),
       optional("not_tags", &Body::not_tags, "One does not hold."),
       optional("not_tags_any", &Body::not_tags_any, "None holds."),
       optional("without_any_tag", &Body::without_any_tag,
                "true: images without tags; the four lists are ignored."),
       optional("matches", &Body::matches, "A part of the name, the id, or both."),
       optional("limit", &Body::limit, "Images of a page, 1 to 1000; 10 without it."),
       optional("offset", &Body::offset, "Images before the page; 0 without it.")},
      run);
}

} // namespace vitrine::api::ims
