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

} // namespace vitrine::api::identity
