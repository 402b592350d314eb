// A member as the Image API shows it (contract: glance-v2 4).
#pragma once

#include "api/kit/request.hpp"
#include "base/json.hpp"
#include "model/member.hpp"

namespace vitrine::api::image {

void write_member(json::Writer& writer, model::Member const& member);
Reply member_reply(model::Member const& member);

} // namespace vitrine::api::image
