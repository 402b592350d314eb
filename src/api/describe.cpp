#include "api/describe.hpp"

#include "api/endpoints.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>

namespace vitrine::api {
namespace {

constexpr std::array kFaults = {
#define X(name, kind, text) Fault::name,
    VITRINE_FAULTS(X)
#undef X
};

// One path with its verbs, in the order of the list.
struct Path {
  std::string_view path;
  std::vector<Endpoint const*> verbs;
};

std::vector<Path> grouped(std::vector<Endpoint> const& endpoints) {
  std::vector<Path> paths;
  for (auto const& endpoint : endpoints) {
    for (auto const path : endpoint.paths()) {
      auto known = std::ranges::find(paths, path, &Path::path);
      if (known == paths.end()) known = paths.insert(known, {path, {}});
      known->verbs.push_back(&endpoint);
    }
  }
  return paths;
}

std::vector<std::string_view> parameters_of(std::string_view path) {
  std::vector<std::string_view> names;
  for (auto open = path.find('{'); open != std::string_view::npos; open = path.find('{', open)) {
    auto const close = path.find('}', open);
    names.push_back(path.substr(open + 1, close - open - 1));
    open = close;
  }
  return names;
}

bool takes_json(Endpoint const& endpoint) {
  // A body on a delete may be left out, and most mean nothing: the summary tells of what does.
  bool const means_nothing = endpoint.spec.verb == Verb::delete_ && endpoint.fields.empty();
  return endpoint.has_body() && !means_nothing;
}

// What the declaration implies, besides the faults that it lists.
std::set<Fault> faults_of(Endpoint const& endpoint) {
  auto const& spec = endpoint.spec;
  std::set<Fault> faults(spec.errors.begin(), spec.errors.end());
  faults.insert({Fault::invalid_query, Fault::internal, Fault::unavailable});
  if (spec.guard != Guard::open) {
    faults.insert({Fault::unauthenticated, Fault::identity_unavailable});
  }
  if (spec.guard == Guard::token_and_action && !spec.action.empty()) {
    faults.insert(Fault::forbidden);
  }
  if (takes_json(endpoint)) faults.insert({Fault::invalid_body, Fault::too_large});
  return faults;
}

int status_in(Family const& family, Fault fault) { return family.refuse(error(fault), {}).status; }

void write_parameter(json::Writer& writer, std::string_view name, std::string_view place,
                     std::string_view text) {
  writer.begin_object().field("name", name).field("in", place);
  if (!text.empty()) writer.field("description", text);
  writer.field("required", place == "path");
  writer.key("schema").raw(R"({"type":"string"})").end_object();
}

void write_parameters(json::Writer& writer, Spec const& spec) {
  auto const in_path = parameters_of(spec.path);
  if (in_path.empty() && spec.query.empty() && spec.headers.empty()) return;
  writer.key("parameters").begin_array();
  for (auto const name : in_path)
    write_parameter(writer, name, "path", "");
  for (auto const& parameter : spec.query)
    write_parameter(writer, parameter.name, "query", parameter.text);
  for (auto const& parameter : spec.headers)
    write_parameter(writer, parameter.name, "header", parameter.text);
  writer.end_array();
}

void write_body(json::Writer& writer, Endpoint const& endpoint) {
  bool const uploads = endpoint.begin != nullptr;
  if (!uploads && !takes_json(endpoint)) return;
  writer.key("requestBody").begin_object().field("required", true);
  writer.key("content").begin_object();
  if (uploads) {
    writer.key("application/octet-stream").begin_object().end_object();
  } else if (endpoint.fields.empty()) {
    for (auto const media : endpoint.spec.media)
      writer.key(media).begin_object().end_object();
  } else {
    writer.key("application/json").begin_object().key("schema").begin_object();
    write_schema(writer, endpoint.fields);
    writer.end_object().end_object();
  }
  writer.end_object().end_object();
}

void write_responses(json::Writer& writer, Endpoint const& endpoint) {
  auto const& family = *endpoint.spec.family;
  std::map<int, std::string> failures;
  for (auto const fault : faults_of(endpoint)) {
    auto& text = failures[status_in(family, fault)];
    if (!text.empty()) text += ' ';
    text += text_of(fault);
  }
  writer.key("responses").begin_object();
  writer.key("2XX").begin_object().field("description", "Done.").end_object();
  for (auto const& [status, text] : failures) {
    writer.key(std::to_string(status)).begin_object().field("description", text).end_object();
  }
  writer.end_object();
}

void write_operation(json::Writer& writer, std::string_view path, Endpoint const& endpoint) {
  auto const& spec = endpoint.spec;
  std::string verb(name_of(spec.verb));
  std::ranges::transform(verb, verb.begin(), [](char c) { return c | 0x20; });
  writer.key(verb).begin_object().field("summary", spec.summary);
  // An id names one operation, so an alias has none.
  if (path == spec.path) writer.field("operationId", spec.name);
  writer.key("tags").begin_array().string(spec.family->name).end_array();
  if (!spec.action.empty()) writer.field("x-policy", spec.action);
  if (!spec.audit.empty()) writer.field("x-audit", spec.audit);
  if (spec.guard == Guard::open) writer.key("security").begin_array().end_array();
  write_parameters(writer, spec);
  write_body(writer, endpoint);
  write_responses(writer, endpoint);
  writer.end_object();
}

struct ImsError {
  std::string code;
  std::string message;
};

ImsError ims_error(Fault fault) {
  auto const body = json::parse(ims_family.refuse(error(fault), {}).body);
  CHECK(body);
  auto const& told = body->at("error");
  return {std::string(json::view(told.at("code").as_string())),
          std::string(json::view(told.at("message").as_string()))};
}

} // namespace

std::string describe_openapi() {
  auto const endpoints = all_endpoints();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("openapi", "3.1.0");
  writer.key("info").begin_object().field("title", "Vitrine").field("version", VITRINE_VERSION);
  writer.end_object();
  writer.key("security").raw(R"([{"token":[]},{"accessKey":[]}])");
  writer.key("components")
      .raw(R"({"securitySchemes":{"token":{"type":"apiKey","in":"header","name":"X-Auth-Token"},)"
           R"("accessKey":{"type":"apiKey","in":"header","name":"Authorization"}}})");
  writer.key("paths").begin_object();
  for (auto const& [path, verbs] : grouped(endpoints)) {
    out += '\n';
    writer.key(path).begin_object();
    for (auto const* endpoint : verbs)
      write_operation(writer, path, *endpoint);
    writer.end_object();
  }
  writer.end_object().end_object();
  return out + '\n';
}

std::string describe_errors_markdown() {
  std::string out =
      "# Errors\n\nPrinted by `vitrine describe errors`. Each failure has one name, "
      "which jobs and the log use; each API answers it in its own form. The text is ours, which "
      "the Image API and Identity answer where no more is known; IMS answers its own, "
      "and what more is known in brackets behind it.\n\n"
      "| name | text | Image API | Identity | IMS | IMS code | IMS text |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (auto const fault : kFaults) {
    auto const ims = ims_error(fault);
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} | {} | {} | {} |\n",
                   name_of(fault), text_of(fault), status_in(image_family, fault),
                   status_in(identity_family, fault), status_in(ims_family, fault), ims.code,
                   ims.message);
  }
  return out;
}

} // namespace vitrine::api
