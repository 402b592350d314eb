// Failures as values: what went wrong, told once, below any HTTP status or API family.
//
// Each API family maps a Fault to its own status and body (`api/ims/errors.cpp`,
// `api/image/errors.cpp`), so the two families can answer the same failure differently. A job
// stores the fault with its item.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine {

/// The coarse class of a failure. Closed: a new member needs a look at every family's table.
enum class Kind : std::uint8_t {
  invalid,           ///< the request is malformed or out of a documented range
  unauthenticated,   ///< no usable credential
  forbidden,         ///< the policy or the image's owner rule denies it
  not_found,         ///< does not exist for this caller
  conflict,          ///< the state of the resource does not allow it
  too_large,         ///< a limit or quota would be passed
  unsupported_media, ///< wrong media type, or bytes that do not fit the declared format
  gone,              ///< the resource vanished while the request was running
  unavailable,       ///< a dependency or this server is not able to serve now; retry may work
  internal,          ///< a bug or exhausted resource
};

// One line a fault: name, kind, plain default text. Families translate by name.
#define VITRINE_FAULTS(X)                                                                          \
  X(invalid_body, invalid, "The request body is invalid.")                                         \
  X(empty_body, invalid, "The request body is empty.")                                             \
  X(invalid_value, invalid, "A value is invalid.")                                                 \
  X(invalid_query, invalid, "A query parameter is invalid.")                                       \
  X(invalid_marker, invalid, "The marker names no visible resource.")                              \
  X(invalid_image_id, invalid, "The image id is not a UUID.")                                      \
  X(invalid_project_id, invalid, "The project id is not valid.")                                   \
  X(range_unsatisfiable, invalid, "The range is not one of the data.")                             \
  X(not_offered, invalid, "The operation is not supported.")                                       \
  X(name_missing, invalid, "The image needs a name.")                                              \
  X(name_not_text, invalid, "The name is not a string.")                                           \
  X(name_too_long, invalid, "The name is longer than 128 characters.")                             \
  X(name_form, invalid, "The name holds a character that no name may hold.")                       \
  X(description_too_long, invalid, "The description is longer than 1024 characters.")              \
  X(description_form, invalid, "The description holds CR, LF, < or >.")                            \
  X(memory_or_disk_size, invalid, "A size of memory or disk is out of range.")                     \
  X(enterprise_project_form, invalid, "The enterprise project is neither 0 nor a UUID.")           \
  X(os_type, invalid, "The type of the operating system is unknown.")                              \
  X(image_kind, invalid, "The type of the image is unknown.")                                      \
  X(iso_without_os, invalid, "An ISO image needs an os_version.")                                  \
  X(bare_metal_encrypted, invalid, "A bare metal image cannot be encrypted.")                      \
  X(server_missing, invalid, "The server is not named.")                                           \
  X(backup_missing, invalid, "The backup is not named.")                                           \
  X(tag_form, invalid, "The tag is invalid.")                                                      \
  X(image_unknown, invalid, "The request names an image that does not exist.")                     \
  X(firmware_type, invalid, "The firmware type is unknown, or not one of the architecture.")       \
  X(architecture, invalid, "The architecture is neither x86 nor arm.")                             \
  X(os_version, invalid, "The version of the operating system is unknown.")                        \
  X(share_with_self, invalid, "An image cannot be shared with its owner.")                         \
  X(project_mismatch, invalid, "The project is not the one of the token.")                         \
  X(object_url_form, invalid, "The address of an object is not of the form bucket:object.")        \
  X(bucket_name_empty, invalid, "The name of the bucket is empty.")                                \
  X(bucket_name_invalid, invalid, "The name of the bucket is not valid.")                          \
  X(object_name_empty, invalid, "The name of the object is empty.")                                \
  X(object_name_too_long, invalid, "The name of the object is too long.")                          \
  X(object_name_invalid, invalid, "The name of the object is not valid.")                          \
  X(object_repeated, invalid, "The request names an object twice.")                                \
  X(too_many_images, invalid, "More images are asked for than can be imported at one time.")       \
  X(job_not_stored, invalid, "The job could not be stored.")                                       \
  X(unauthenticated, unauthenticated, "The request you have made requires authentication.")        \
  X(forbidden, forbidden, "You are not authorized to complete this action.")                       \
  X(read_only_attribute, forbidden, "The attribute is read-only.")                                 \
  X(reserved_attribute, forbidden, "The attribute is reserved.")                                   \
  X(image_protected, forbidden, "The image is protected.")                                         \
  X(image_deactivated, forbidden, "The image is deactivated.")                                     \
  X(not_shareable, forbidden, "Only images with visibility shared may have members.")              \
  X(transition_forbidden, forbidden, "The image cannot change to that status.")                    \
  X(image_not_found, not_found, "The image does not exist.")                                       \
  X(member_not_found, not_found, "The member does not exist.")                                     \
  X(job_not_found, not_found, "The job does not exist.")                                           \
  X(tag_not_found, not_found, "The tag does not exist.")                                           \
  X(not_found, not_found, "The resource does not exist.")                                          \
  X(image_exists, conflict, "An image with this id exists already.")                               \
  X(member_exists, conflict, "The project is a member already.")                                   \
  X(image_not_active, conflict, "The image is not active.")                                        \
  X(wrong_status, conflict, "The status of the image does not allow this.")                        \
  X(property_missing, conflict, "The property does not exist.")                                    \
  X(attributes_exclude, conflict, "The attributes exclude each other.")                            \
  X(name_taken, conflict, "The name is taken.")                                                    \
  X(conflict, conflict, "The request conflicts with the current state.")                           \
  X(image_is_public, conflict, "The image is public.")                                             \
  X(not_image_owner, conflict, "Only the owner of the image may do this.")                         \
  X(public_of_others, conflict, "The public image belongs to another project.")                    \
  X(share_not_accepted, conflict, "The project has not accepted the image.")                       \
  X(full_server_not_copied, conflict, "A full-server image cannot be copied.")                     \
  X(public_not_exported, conflict, "A public image cannot be exported.")                           \
  X(full_server_not_exported, conflict, "A full-server image cannot be exported.")                 \
  X(from_backup, conflict, "An image made from a backup cannot be exported.")                      \
  X(export_forbidden, conflict, "The image must not be exported.")                                 \
  X(export_too_large, conflict, "The image is too large to be exported like this.")                \
  X(export_running, conflict, "The image is being exported.")                                      \
  X(iso_image, conflict, "This cannot be done with an ISO image.")                                 \
  X(image_too_large, conflict, "The data of the image is too large for this.")                     \
  X(encrypted_share, conflict, "The key of the shared image is not granted to the project.")       \
  X(no_backup_service, conflict, "There is no backup service.")                                    \
  X(no_key_service, conflict, "There is no key service.")                                          \
  X(new_key_missing, conflict, "The key to encrypt with does not exist.")                          \
  X(new_key_disabled, conflict, "The key to encrypt with is disabled.")                            \
  X(new_key_same, conflict, "The image is encrypted with this key already.")                       \
  X(new_key_not_granted, conflict, "The key to encrypt with is not granted to the project.")       \
  X(full_server_image, conflict, "The full-server image cannot be shared.")                        \
  X(vault_missing, conflict, "A full-server image needs a vault to be accepted.")                  \
  X(encrypted_default_key, conflict, "An image encrypted with the default key cannot be shared.")  \
  X(key_missing, conflict, "The key of the image does not exist.")                                 \
  X(key_disabled, conflict, "The key of the image is disabled.")                                   \
  X(key_not_granted, conflict, "The key of the image is not granted to the project.")              \
  X(own_key_not_granted, conflict, "The key of the image is not granted to the own project.")      \
  X(project_unknown, conflict, "The project does not exist or is disabled.")                       \
  X(no_object_store, conflict, "No object store is configured.")                                   \
  X(no_access_key, conflict, "There are no keys for the bucket.")                                  \
  X(bucket_refused, conflict, "The bucket cannot be accessed.")                                    \
  X(bucket_elsewhere, conflict, "The bucket is in another region.")                                \
  X(object_unreadable, conflict, "The object is missing, empty or cannot be read.")                \
  X(object_exists, conflict, "The object exists already.")                                         \
  X(server_unknown, conflict, "The server does not exist.")                                        \
  X(server_busy, conflict, "The server has a task under way.")                                     \
  X(server_not_stopped, conflict, "The server is not stopped.")                                    \
  X(server_state, conflict, "The server is in a state that does not allow this.")                  \
  X(server_unprotected, conflict, "The server cannot be backed up.")                               \
  X(no_system_disk, conflict, "The server has no system disk.")                                    \
  X(system_disk_state, conflict, "The system disk is in a state that does not allow this.")        \
  X(volume_unknown, conflict, "The volume does not exist.")                                        \
  X(volume_state, conflict, "The volume is in a state that does not allow this.")                  \
  X(volume_too_large, conflict, "The volume is too large to be made an image.")                    \
  X(volumes_apart, conflict, "The volumes are of several servers.")                                \
  X(backup_unknown, conflict, "The backup does not exist.")                                        \
  X(backup_state, conflict, "The backup is in a state that does not allow this.")                  \
  X(backup_used, conflict, "An image was made from the backup already.")                           \
  X(backup_kind, conflict, "Backups of this kind are not offered.")                                \
  X(backups_not_removed, conflict, "The backups of the image could not be removed.")               \
  X(cloud_failed, conflict, "Another service has failed to do its part.")                          \
  X(member_limit, too_large, "The image has the maximum number of members.")                       \
  X(sharing_quota, too_large, "The project shares the maximum number of images.")                  \
  X(image_quota, too_large, "The project owns the maximum number of images.")                      \
  X(property_limit, too_large, "The image has too many properties.")                               \
  X(tag_limit, too_large, "The image has too many tags.")                                          \
  X(too_large, too_large, "The data is too large.")                                                \
  X(media_type, unsupported_media, "The media type is not supported.")                             \
  X(format_mismatch, unsupported_media, "The data does not match the declared format.")            \
  X(format_unsafe, unsupported_media, "The data is not a safe disk image.")                        \
  X(format_unwritable, invalid, "The data cannot be converted to the format.")                     \
  X(conversion_failed, internal, "The data could not be converted.")                               \
  X(image_gone, gone, "The image was deleted while its data was being uploaded.")                  \
  X(identity_unavailable, unavailable, "The identity service does not answer.")                    \
  X(unavailable, unavailable, "The service is not able to answer now.")                            \
  X(bucket_unavailable, unavailable, "The object store does not answer.")                          \
  X(cloud_unavailable, unavailable, "Another service does not answer.")                            \
  X(outcome_unknown, unavailable, "The service is not able to answer now.")                        \
  X(lease_lost, unavailable, "Another worker has taken the job over.")                             \
  X(too_many_jobs, conflict, "Too many jobs are under way.")                                       \
  X(store_full, too_large, "The image store is full.")                                             \
  X(member_not_stored, internal, "The member could not be stored.")                                \
  X(member_not_removed, internal, "The member could not be removed.")                              \
  X(internal, internal, "Something went wrong.")

enum class Fault : std::uint8_t {
#define X(name, kind, text) name,
  VITRINE_FAULTS(X)
#undef X
};

/// Kind of a fault; constant.
Kind kind_of(Fault fault) noexcept;
/// Stable name of a fault as written in `VITRINE_FAULTS`; what a job stores.
std::string_view name_of(Fault fault) noexcept;
/// The fault of that name; `Fault::internal` for an unknown one.
Fault fault_named(std::string_view name) noexcept;
/// Default text of a fault, a full sentence.
std::string_view text_of(Fault fault) noexcept;

/// A failure on its way up. Cheap to move; holds no secret and no internal detail that a caller may
/// not read.
struct [[nodiscard]] Error {
  Fault fault{Fault::internal};
  std::string detail; ///< names the field, limit or state; shown to the caller
  std::string field;  ///< the field at fault, empty when none

  [[nodiscard]] Kind kind() const noexcept { return kind_of(fault); }
};

inline Error error(Fault fault, std::string detail = {}, std::string field = {}) {
  return Error{fault, std::move(detail), std::move(field)};
}

} // namespace vitrine
