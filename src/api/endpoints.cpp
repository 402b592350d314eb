#include "api/endpoints.hpp"

// One line an endpoint: the namespace of its file under api/, and the function there that declares
// it.
#define VITRINE_ENDPOINTS(X)                                                                       \
  X(image, root_versions)                                                                          \
  X(image, list_versions)                                                                          \
  X(image, redirect_v2)                                                                            \
  X(image, list_images)                                                                            \
  X(image, create_image)                                                                           \
  X(image, show_image)                                                                             \
  X(image, patch_image)                                                                            \
  X(image, delete_image)                                                                           \
  X(image, download_data)                                                                          \
  X(image, upload_data)                                                                            \
  X(image, import_image)                                                                           \
  X(image, list_image_tasks)                                                                       \
  X(image, add_location)                                                                           \
  X(image, list_locations)                                                                         \
  X(image, deactivate_image)                                                                       \
  X(image, reactivate_image)                                                                       \
  X(image, add_tag)                                                                                \
  X(image, remove_tag)                                                                             \
  X(image, show_schema)                                                                            \
  X(image, import_info)                                                                            \
  X(image, stores_info)                                                                            \
  X(image, stores_detail)                                                                          \
  X(image, delete_from_store)                                                                      \
  X(image, usage_info)                                                                             \
  X(image, list_members)                                                                           \
  X(image, add_member)                                                                             \
  X(image, show_member)                                                                            \
  X(image, answer_share)                                                                           \
  X(image, remove_member)                                                                          \
  X(image, show_headers)                                                                           \
  X(image, list_detail)                                                                            \
  X(image, delete_image_v1)                                                                        \
  X(ims, add_members)                                                                              \
  X(ims, remove_members)                                                                           \
  X(ims, answer_shares)                                                                            \
  X(ims, list_members)                                                                             \
  X(ims, show_member)                                                                              \
  X(ims, create_image)                                                                             \
  X(ims, create_disk_image)                                                                        \
  X(ims, create_data_image)                                                                        \
  X(ims, create_whole_image)                                                                       \
  X(ims, quick_import)                                                                             \
  X(ims, register_image)                                                                           \
  X(ims, export_image)                                                                             \
  X(ims, copy_image)                                                                               \
  X(ims, copy_image_to_region)                                                                     \
  X(ims, list_cloudimages)                                                                         \
  X(ims, patch_cloudimage)                                                                         \
  X(ims, list_os_versions)                                                                         \
  X(ims, list_tags)                                                                                \
  X(ims, put_tag)                                                                                  \
  X(ims, remove_tags)                                                                              \
  X(ims, list_tags_of_image)                                                                       \
  X(ims, put_tag_of_image)                                                                         \
  X(ims, change_tags_of_image)                                                                     \
  X(ims, remove_tag_of_image)                                                                      \
  X(ims, list_tags_of_project)                                                                     \
  X(ims, find_by_tags)                                                                             \
  X(ims, show_job)                                                                                 \
  X(ims, show_job_progress)                                                                        \
  X(ims, show_quotas)                                                                              \
  X(ims, show_project_quotas)                                                                      \
  X(identity, show_version)                                                                        \
  X(identity, log_in)                                                                              \
  X(identity, show_token)                                                                          \
  X(identity, revoke_token)                                                                        \
  X(identity, list_projects)                                                                       \
  X(identity, create_project)                                                                      \
  X(identity, show_project)                                                                        \
  X(identity, change_project)                                                                      \
  X(identity, delete_project)                                                                      \
  X(identity, list_users)                                                                          \
  X(identity, create_user)                                                                         \
  X(identity, show_user)                                                                           \
  X(identity, change_user)                                                                         \
  X(identity, delete_user)                                                                         \
  X(identity, change_password)                                                                     \
  X(identity, list_user_projects)                                                                  \
  X(identity, list_roles)                                                                          \
  X(identity, create_role)                                                                         \
  X(identity, show_role)                                                                           \
  X(identity, change_role)                                                                         \
  X(identity, delete_role)                                                                         \
  X(identity, list_project_grants)                                                                 \
  X(identity, check_project_grant)                                                                 \
  X(identity, grant_on_project)                                                                    \
  X(identity, revoke_on_project)                                                                   \
  X(identity, list_domain_grants)                                                                  \
  X(identity, check_domain_grant)                                                                  \
  X(identity, grant_on_domain)                                                                     \
  X(identity, revoke_on_domain)                                                                    \
  X(identity, list_role_assignments)                                                               \
  X(identity, list_domains)                                                                        \
  X(identity, show_domain)                                                                         \
  X(identity, show_catalog)                                                                        \
  X(identity, list_own_projects)                                                                   \
  X(identity, list_own_domains)                                                                    \
  X(identity, list_application_credentials)                                                        \
  X(identity, create_application_credential)                                                       \
  X(identity, show_application_credential)                                                         \
  X(identity, delete_application_credential)                                                       \
  X(identity, list_access_keys)                                                                    \
  X(identity, create_access_key)                                                                   \
  X(identity, show_access_key)                                                                     \
  X(identity, delete_access_key)                                                                   \
  X(ops, health_check)                                                                             \
  X(ops, health_live)                                                                              \
  X(ops, health_ready)                                                                             \
  X(ops, show_metrics)

#define X(space, function)                                                                         \
  namespace vitrine::api::space {                                                                  \
  Endpoint function();                                                                             \
  }
VITRINE_ENDPOINTS(X)
#undef X

namespace vitrine::api {

std::vector<Endpoint> all_endpoints() {
  std::vector<Endpoint> endpoints;
#define X(space, function) endpoints.push_back(space::function());
  VITRINE_ENDPOINTS(X)
#undef X
  return endpoints;
}

} // namespace vitrine::api
