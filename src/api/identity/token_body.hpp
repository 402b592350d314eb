// How a token and the catalog look in answers.
#pragma once

#include "api/identity/wire.hpp"

namespace vitrine::api::identity {

/// The services a client finds through its token: this one, twice. The image URL has no version and
/// no slash at its end, since clients join it with paths in different ways (contract: clients 1).
void write_catalog(json::Writer& writer, Context const& context, Services const& services);

/// {"token": {…}} for a session; unscoped ones have no catalog, and `?nocatalog` leaves it out.
Reply token_reply(int status, builtin::Session const& session, Context const& context,
                  Services const& services);

} // namespace vitrine::api::identity
