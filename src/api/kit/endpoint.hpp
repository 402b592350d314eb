// An endpoint: one declaration that feeds the router, authentication, policy, validation, metrics,
// the audit reference and the OpenAPI document. One endpoint is one file and one line in
// endpoints.cpp.
#pragma once

#include "api/kit/family.hpp"
#include "api/kit/fields.hpp"
#include "api/kit/request.hpp"
#include "api/kit/services.hpp"
#include "base/limits.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vitrine::api {

enum class Verb : std::uint8_t { get, head, post, put, patch, delete_ };
std::string_view name_of(Verb verb) noexcept; ///< "GET"

/// Who may call, decided before the endpoint runs.
enum class Guard : std::uint8_t {
  token_and_action, ///< a project-scoped token, and the policy allows `action` to the caller's
                    ///< roles
  token,            ///< a project-scoped token; the service checks `action` against the image
  any_token,        ///< any valid token, whatever its scope
  open,             ///< no token
};

struct Spec {
  Verb verb;
  std::string_view path;                   ///< template: /v2/images/{image_id}
  std::vector<std::string_view> aliases{}; ///< further templates with the same parameters
  std::string_view name;                   ///< stable, for metrics and logs: image.v2.show_image
  Family const* family;
  std::string_view action{}; ///< policy action; empty when none applies
  Guard guard{Guard::token_and_action};
  bool reads{false};        ///< changes nothing although its verb is not one of reads
  std::string_view audit{}; ///< event type written by the change: image.member.create
  std::vector<Fault> errors{};
  std::string_view summary; ///< one sentence for the API document
  bool takes_body{false};   ///< a JSON body read by the endpoint itself (no declared fields)
  std::vector<std::string_view> media{"application/json"}; ///< of a body without declared fields
  bool quick{false};                ///< a read of microseconds on a database that is here: may
                                    ///< run on an io thread
  bool slow{false};                 ///< hashes a password: on few threads (memory), not those
                                    ///< of others
  std::vector<Parameter> query{};   ///< documented parameters
  std::vector<Parameter> headers{}; ///< documented ones that this endpoint alone reads
};

/// A declared endpoint; made by `endpoint<Body>`, `plain_endpoint` or `upload_endpoint`.
struct Endpoint {
  using Run = std::function<Result<Reply>(Context&, Services&)>;
  /// Takes what makes the answer once all is there for it.
  using Answered = std::function<void(std::move_only_function<Result<Reply>()>)>;
  using RunLater = std::function<bool(Context&, Services&, Answered)>;
  using Begin = std::function<Result<std::unique_ptr<net::BodySink>>(Context&, Services&)>;

  Spec spec;
  std::vector<FieldInfo> fields; ///< of the JSON body, for validation order and the API document
  Run run;                       ///< empty for an upload
  Begin begin;                   ///< set for an upload
  /// May be set beside `run`: the same without waiting (`store::Database::read_later`). The context
  /// lives until the answer.
  RunLater run_later{};

  [[nodiscard]] bool is_read() const {
    return spec.reads || spec.verb == Verb::get || spec.verb == Verb::head;
  }
  /// Every template that leads here.
  [[nodiscard]] std::vector<std::string_view> paths() const {
    std::vector<std::string_view> all{spec.path};
    all.insert(all.end(), spec.aliases.begin(), spec.aliases.end());
    return all;
  }
  [[nodiscard]] bool has_body() const { return spec.takes_body || !fields.empty(); }
};

/// An endpoint that reads no body, or reads it itself from `Context::body`.
Endpoint plain_endpoint(Spec spec, Endpoint::Run run, Endpoint::RunLater run_later = {});
/// An endpoint whose body streams into a sink.
Endpoint upload_endpoint(Spec spec, Endpoint::Begin begin);

/// What the API document says of fields.
template <class Body>
std::vector<FieldInfo> infos_of(std::vector<Field<Body>> const& fields) {
  std::vector<FieldInfo> infos;
  for (auto const& field : fields)
    infos.push_back(field.info);
  return infos;
}

/// Reads a body that is an object with these fields. Error: that of the first field at fault.
template <class Body>
Result<Body> read_fields(json::Object const& object, std::vector<Field<Body>> const& fields,
                         model::Caller const& caller) {
  Body body{};
  for (auto const& field : fields)
    TRY(field.read(body, object, caller));
  return body;
}

/// An endpoint whose JSON body is an object with the declared fields, read into `Body`.
/// Errors before `run`: `empty_body`, `invalid_body`, then the first field at fault in declared
/// order.
template <class Body, class Function>
Endpoint endpoint(Spec spec, std::vector<Field<Body>> fields, Function run) {
  auto infos = infos_of(fields);
  return Endpoint{.spec = std::move(spec),
                  .fields = std::move(infos),
                  .run = [fields = std::move(fields), run](Context& context,
                                                           Services& services) -> Result<Reply> {
                    auto const object = TRY(read_object(context.body));
                    auto body = TRY(read_fields(object, fields, context.caller));
                    Request<Body> const request{context, std::move(body)};
                    return run(request, services);
                  },
                  .begin = {}};
}

} // namespace vitrine::api
