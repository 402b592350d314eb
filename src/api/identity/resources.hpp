// How projects, users, roles and domains look in answers.
#pragma once

#include "api/identity/wire.hpp"

namespace vitrine::api::identity {

void write_project(json::Writer& writer, Context const& context, model::Project const& project);
void write_user(json::Writer& writer, Context const& context, model::User const& user);
void write_role(json::Writer& writer, Context const& context, model::Role const& role);
void write_domain(json::Writer& writer, Context const& context, model::Domain const& domain);

/// `domain_id` of a resource to be made; the default domain when it is absent.
Result<DomainId> read_domain(Fields const& fields);
/// Refuses a field that cannot have another value: clients may repeat what they read, and what they
/// cannot change must not seem changed. Error: `invalid_value`.
Result<> expect_fixed(Fields const& fields, std::string_view name, std::string_view value);

} // namespace vitrine::api::identity
