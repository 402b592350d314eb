// All images of a project, one after the other, for what no index answers.
#pragma once

#include "model/image.hpp"
#include "store/metadata/connection.hpp"

#include <functional>

namespace vitrine::store {

/// Shows every image of an owner, in the order of the ids, with no more of it than id, owner, name,
/// status, visibility, protection, time of creation and tags. Reads some at a time: memory does not
/// grow with their number, nor with the length of what they hold. Runs inside a read of `Database`.
Result<> each_owned_image(Connection& connection, ProjectId const& owner,
                          std::function<void(model::Image const&)> const& each);

} // namespace vitrine::store
