// When an image may be shared: the conditions of the contract (ims-api 5.1) in their order, the
// same for bulk requests and single ones. Pure, but for the keys of encrypted images.
#pragma once

#include "base/result.hpp"
#include "model/image.hpp"
#include "service/encryption.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vitrine::service {

/// True for an image made from a backup of a server.
bool is_from_backup(model::Image const& image);
/// True for the image of an installation medium.
bool is_iso(model::Image const& image);
/// True for the image of a whole server.
bool is_full_server(model::Image const& image);

/// Why the image as such cannot be shared, whoever asks and whoever is to receive it; nothing when
/// it can. `full_server_image`, those of `Encryption::forbids_sharing`.
Result<std::optional<Fault>> forbids_sharing(KeyStates& states, model::Image const& image);

/// How many members the image may have when its owner's limit is `member_limit`.
std::int64_t member_capacity(model::Image const& image, std::int64_t member_limit);

/// The visibility that follows from a change of members, with who asked for it.
struct SharedState {
  model::Visibility visibility;
  bool auto_shared;
};

/// The first member makes a private image shared (contract: ims-api 3.1).
SharedState after_adding(model::Image const& image);
/// The last removal takes that back, when no user had asked for `shared`.
SharedState after_removing(model::Image const& image, std::int64_t removed);

} // namespace vitrine::service
