#include "api/ims/error_catalogue.hpp"

#include <algorithm>

namespace vitrine::api::ims {
namespace {

// clang-format off
constexpr CatalogueEntry kEntries[] = {
    {"IMG.0001", 400, "The request message format is invalid."},
    {"IMG.0002", 400, "The image name contains more than 128 characters."},
    {"IMG.0003", 400, "The image name format is invalid."},
    {"IMG.0004", 400, "The description contains more than 1024 characters."},
    {"IMG.0005", 400, "The ECS does not exist."},
    {"IMG.0006", 400, "The ECS system disk cannot be used to create an image."},
    {"IMG.0007", 400, "The request body is empty."},
    {"IMG.0008", 400,
     "The ECS cannot be used to create images because it is not in stopped state."},
    {"IMG.0009", 400, "The image name already exists."},
    {"IMG.0010", 400,
     "The ECS cannot be used to create an image because it has in-progress tasks."},
    {"IMG.0011", 400, "forceCreate must be set to true."},
    {"IMG.0012", 400, "The ECS ID is not specified."},
    {"IMG.0013", 400, "The image name is not specified."},
    {"IMG.0014", 400, "An exception occurred when IaaS OpenStack was executing the task."},
    {"IMG.0015", 400, "The number of private images has reached the maximum allowed."},
    {"IMG.0016", 400, "An error occurred when the request body was deleted."},
    {"IMG.0017", 400, "The URL format is incorrect."},
    {"IMG.0018", 400, "An error occurred when the job was submitted."},
    {"IMG.0019", 400, "The backup ID is not specified."},
    {"IMG.0020", 400, "The backup does not exist."},
    {"IMG.0021", 400, "The resource type is unknown."},
    {"IMG.0022", 400, "The disk in the current state cannot be used to create images."},
    {"IMG.0023", 404, "An exception occurred during task query."},
    {"IMG.0024", 400, "The image type in the request is incorrect."},
    {"IMG.0025", 400, "The user type in the request is incorrect."},
    {"IMG.0026", 403,
     "The role is invalid. You need to apply for the required permissions or pass the "
     "real-name authentication."},
    {"IMG.0027", 400, "The image ID in the request does not exist."},
    {"IMG.0028", 400, "The image in the request is protected."},
    {"IMG.0029", 400, "The backup in the request has already been used to create an image."},
    {"IMG.0030", 400, "The project ID and token in the request are invalid."},
    {"IMG.0031", 400, "The resource ID in the request is incorrect."},
    {"IMG.0032", 400, "The backup is unavailable."},
    {"IMG.0033", 400, "The backup is not a system disk backup."},
    {"IMG.0034", 400, "The number of images cannot be modified."},
    {"IMG.0035", 400, "An attribute conflict occurred during the modification."},
    {"IMG.0036", 400, "An error occurred when the value of asumeToken was obtained."},
    {"IMG.0037", 400, "An error occurred in the AK/SK was obtained."},
    {"IMG.0038", 400, "An error occurred when the bucket was created."},
    {"IMG.0039", 400,
     "An error occurred when read and write permissions of the bucket were granted to a "
     "specified user."},
    {"IMG.0040", 400, "An error occurred in the object storage address was obtained."},
    {"IMG.0041", 400, "The authorized account is empty."},
    {"IMG.0045", 400, "Failed to generate the image product code."},
    {"IMG.0046", 400, "The image is unavailable."},
    {"IMG.0047", 400, "This operation can be performed only by the image owner."},
    {"IMG.0053", 400,
     "An error occurred when the domain information of the shadow account was obtained."},
    {"IMG.0054", 400, "The image description format is invalid."},
    {"IMG.0055", 400, "The memory or disk size is invalid."},
    {"IMG.0056", 400, "Invalid OS version."},
    {"IMG.0057", 400,
     "The image file is empty, not found, or in incorrect format, or you do not have enough "
     "permission to access the file."},
    {"IMG.0058", 400,
     "The region of the bucket where the image file is stored is inconsistent with that of "
     "the user."},
    {"IMG.0059", 400, "The size of the image file exceeds the maximum allowed."},
    {"IMG.0060", 400, "The number of tasks exceeds the flow control limit."},
    {"IMG.0061", 500, "Unknown system error."},
    {"IMG.0062", 400, "The image name is incorrect."},
    {"IMG.0063", 400, "The VM type does not support image creation."},
    {"IMG.0064", 400, "Failed to obtain tenant information from IAM."},
    {"IMG.0065", 400, "Failed to obtain the tenant domain from IAM."},
    {"IMG.0066", 400, "The image ID is incorrect."},
    {"IMG.0067", 400, "The project ID is incorrect."},
    {"IMG.0068", 400, "The specified bucket name is empty."},
    {"IMG.0069", 400, "The specified bucket cannot be accessed."},
    {"IMG.0070", 400,
     "The image file already exists. Confirm the file in the corresponding directory of the "
     "OBS bucket or in the OBS bucket."},
    {"IMG.0071", 400, "The image cannot be exported."},
    {"IMG.0072", 400, "The specified image format is not supported."},
    {"IMG.0073", 400, "The name of the exported file is empty."},
    {"IMG.0074", 400, "The file name length exceeds the limit."},
    {"IMG.0075", 400, "The file name contains invalid characters."},
    {"IMG.0076", 400, "You cannot share an image with yourself."},
    {"IMG.0077", 400, "The public image cannot be exported."},
    {"IMG.0079", 400, "The system disk image created from a charged image cannot be exported."},
    {"IMG.0080", 400, "The image created from a CSBS or CBR backup cannot be exported."},
    {"IMG.0081", 400, "The image cannot be exported because it is created from an image file."},
    {"IMG.0083", 400, "The image is a public image."},
    {"IMG.0084", 400, "The image is a private image."},
    {"IMG.0085", 400, "The publishing mode is incorrect."},
    {"IMG.0086", 400, "No image was found."},
    {"IMG.0087", 401, "The token is incorrect."},
    {"IMG.0088", 400, "The number of shared images has reached the maximum allowed."},
    {"IMG.0089", 400, "The public image cannot be shared."},
    {"IMG.0090", 400, "The image being created cannot be deleted."},
    {"IMG.0092", 400, "The image can only be deleted by the owner."},
    {"IMG.0094", 400, "The public image cannot be deleted."},
    {"IMG.0095", 400, "The KMS key does not exist."},
    {"IMG.0096", 400, "The specified KMS key ID must be different from the image key ID."},
    {"IMG.0097", 400, "The key is not enabled."},
    {"IMG.0098", 400, "The encrypted image cannot be shared."},
    {"IMG.0099", 400, "You do not have the permission to access the key."},
    {"IMG.0100", 400, "You do not have OBT permission for KMS."},
    {"IMG.0101", 400, "The original key does not exist."},
    {"IMG.0102", 400, "The original key is not enabled."},
    {"IMG.0103", 400, "You do not have the permission to access the original key."},
    {"IMG.0104", 400, "Enter the project name if there are multiple projects in the same region."},
    {"IMG.0105", 400, "The operation is not supported."},
    {"IMG.0106", 400, "The image owner is another tenant."},
    {"IMG.0108", 400, "The tenant ID was not found in the current region."},
    {"IMG.0109", 400, "The bucket name contains invalid characters."},
    {"IMG.0110", 400, "The system disk is unavailable and cannot be used to create images."},
    {"IMG.0111", 400, "The size of the system disk exceeds the maximum allowed."},
    {"IMG.0112", 400, "Failed to add the tenant."},
    {"IMG.0113", 400, "Failed to delete the tenant."},
    {"IMG.0114", 400, "Failed to query the tenant details."},
    {"IMG.0115", 400, "The image tag is invalid."},
    {"IMG.0116", 400, "The number of image tags exceeds the quota."},
    {"IMG.0117", 400, "The image source can only be BMS or ECS."},
    {"IMG.0118", 400, "The BMS image does not support KMS encryption."},
    {"IMG.0119", 400, "The VM does not have a system disk."},
    {"IMG.0120", 400, "The specified data disk ID is unavailable."},
    {"IMG.0121", 400, "The object cannot be found."},
    {"IMG.0122", 400, "The OS type is invalid."},
    {"IMG.0123", 400, "The image file address in the request is duplicate."},
    {"IMG.0125", 400, "The data disk image cannot be converted to a public image."},
    {"IMG.0126", 400, "The VM in the current stage cannot be used to create a full-ECS image."},
    {"IMG.0127", 400, "The CSBS backup does not exist."},
    {"IMG.0128", 400, "The full-ECS image cannot be exported."},
    {"IMG.0130", 400, "The full-ECS image cannot be exported or replicated."},
    {"IMG.0132", 400,
     "The CSBS backup in the current state cannot be used to create a full-ECS image."},
    {"IMG.0133", 400, "You are not allowed to access the CSBS backup."},
    {"IMG.0134", 400, "The CSBS backup has been registered as an image."},
    {"IMG.0135", 400, "The full-ECS image cannot be shared."},
    {"IMG.0136", 400, "Failed to create a full-ECS image because the ECS is being backed up."},
    {"IMG.0137", 400, "Failed to obtain the VM information."},
    {"IMG.0138", 400, "Failed to obtain the OS type information."},
    {"IMG.0139", 400, "Other disks on the VM are being used to created VMs."},
    {"IMG.0140", 400, "The disks in the request come from different ECSs."},
    {"IMG.0141", 400, "The value of hw_firmware_type is not uefi or bios."},
    {"IMG.0144", 404, "The image does not exist."},
    {"IMG.0145", 400, "The project name is incorrect."},
    {"IMG.0148", 400, "The image is being exported."},
    {"IMG.0153", 400, "DESS or DSS disks cannot be used to create images."},
    {"IMG.0154", 400, "Failed to communicate with Enterprise Project Management Service (EPS)."},
    {"IMG.0155", 400, "Failed to check the enterprise project ID validity."},
    {"IMG.0156", 400, "Failed to associate the image with the enterprise project ID."},
    {"IMG.0160", 400, "Only images less than 128 GB can be exported."},
    {"IMG.0161", 400, "You do not have permission."},
    {"IMG.0162", 400,
     "The value contains a maximum of 12 characters that consist of letters and spaces, and "
     "cannot start or end with a space"},
    {"IMG.0163", 400,
     "This image cannot be titled by vendors. Only images running a Windows OS booted in "
     "BIOS mode can be titled by vendors."},
    {"IMG.0164", 400, "Failed to create an image because the spot ECS is being reclaimed."},
    {"IMG.0165", 400, "You do not have permission to access the CSBS backup."},
    {"IMG.0166", 400, "OS information must be contained in the ISO files used to create images."},
    {"IMG.0167", 400, "This operation cannot be performed for ISO images."},
    {"IMG.0168", 400, "Data disk images cannot be updated."},
    {"IMG.0169", 400, "Failed to update the image because the OS versions are different."},
    {"IMG.0170", 400, "Failed to update the image because the image formats are different."},
    {"IMG.0171", 400,
     "Failed to update the image because the minimum disk space is less than that of the "
     "source image."},
    {"IMG.0172", 400,
     "Failed to update the image because the minimum memory is less than that of the source "
     "image."},
    {"IMG.0173", 400,
     "Failed to update the image because the image environment types are different."},
    {"IMG.0174", 400,
     "Failed to update the image because the name of the source image is different from "
     "that of the target image."},
    {"IMG.0175", 400, "The folder name and image file name cannot contain spaces."},
    {"IMG.0176", 400, "Failed to delete the full-ECS backup."},
    {"IMG.0177", 400, "The source and target tenants reside in different regions."},
    {"IMG.0178", 400, "The target tenant is the same as the source tenant."},
    {"IMG.0179", 400, "The token of the source image agency is invalid."},
    {"IMG.0180", 400, "CBR does not support full-ECS image creation."},
    {"IMG.0181", 400, "Failed to obtain ECSs that can be protected."},
    {"IMG.0182", 400, "Insufficient vault capacity. Please expand the capacity."},
    {"IMG.0183", 400, "The ECS can only be associated with one vault."},
    {"IMG.0184", 400, "Failed to obtain the vault."},
    {"IMG.0185", 400, "The number of ECSs associated with the vault has reached the upper limit."},
    {"IMG.0186", 400, "The ECS is associated with the CSBS service."},
    {"IMG.0187", 400, "KMS access traffic has reached the upper limit."},
    {"IMG.0188", 400, "Vault is unavailable."},
    {"IMG.0189", 400, "The target CBR vault does not support image replication."},
    {"IMG.0190", 400, "Full-ECS images can be created only from CBR backups."},
    {"IMG.0191", 400, "Failed to query ECS flavors."},
    {"IMG.0192", 400, "The flavor used to query images is invalid."},
    {"IMG.0193", 400, "The vault is not a cloud server backup vault."},
    {"IMG.0194", 400,
     "The maximum number of images that can be imported at one time has been reached."},
    {"IMG.0195", 400, "Full-ECS images created from CBR backups must contain an OS."},
    {"IMG.0196", 400,
     "The image cannot be replicated because it is not accepted by the recipient."},
    {"IMG.0197", 400, "Failed to replicate the shared image because it is encrypted using KMS."},
    {"IMG.0198", 400, "Backup ID does not match the backup type or does not exist."},
    {"IMG.0212", 400, "The value of Architecture must be x86 or Arm."},
    {"IMG.0238", 400, "Not real-name authentication."},
    {"IMG.0239", 400, "Insufficient balance."},
    {"IMG.0241", 400, "Incomplete payment information."},
    {"IMG.0242", 400, "Insufficient budget of enterprise department."},
    {"IMG.1075", 400, "Failed to register the image file."},
};
// clang-format on

} // namespace

std::span<CatalogueEntry const> catalogue() { return kEntries; }

CatalogueEntry const& entry(std::string_view code) {
  auto const* at = std::ranges::find(kEntries, code, &CatalogueEntry::code);
  CHECK(at != std::end(kEntries));
  return *at;
}

CatalogueEntry const& entry(Fault fault) {
  using enum Fault;
  switch (fault) {
  case invalid_body:
  case invalid_value:
  case invalid_query:
  case property_limit:
  case too_large: return entry("IMG.0001");
  case name_too_long: return entry("IMG.0002");
  case name_form: return entry("IMG.0003");
  case description_too_long: return entry("IMG.0004");
  case empty_body: return entry("IMG.0007");
  case name_taken: return entry("IMG.0009");
  case name_missing: return entry("IMG.0013");
  case image_quota: return entry("IMG.0015");
  case object_url_form: return entry("IMG.0017");
  case job_not_stored: return entry("IMG.0018");
  case job_not_found: return entry("IMG.0023");
  case forbidden: return entry("IMG.0026");
  case image_unknown: return entry("IMG.0027");
  case project_mismatch: return entry("IMG.0030");
  case image_kind: return entry("IMG.0024");
  case image_unknown: return entry("IMG.0027");
  case invalid_marker: return entry("IMG.0031");
  case attributes_exclude:
  case property_missing: return entry("IMG.0035");
  case no_access_key: return entry("IMG.0037");
  case no_object_store: return entry("IMG.0040");
  case image_deactivated:
  case transition_forbidden:
  case image_not_active:
  case wrong_status: return entry("IMG.0046");
  case not_shareable:
  case not_image_owner: return entry("IMG.0047");
  case description_form: return entry("IMG.0054");
  case memory_or_disk_size: return entry("IMG.0055");
  case os_version: return entry("IMG.0056");
  case format_mismatch:
  case format_unsafe:
  case object_unreadable: return entry("IMG.0057");
  case bucket_elsewhere: return entry("IMG.0058");
  case image_too_large: return entry("IMG.0059");
  case too_many_jobs: return entry("IMG.0060");
  case name_not_text: return entry("IMG.0062");
  case identity_unavailable: return entry("IMG.0064");
  case invalid_image_id: return entry("IMG.0066");
  case invalid_project_id: return entry("IMG.0067");
  case bucket_name_empty: return entry("IMG.0068");
  case bucket_refused:
  case bucket_unavailable: return entry("IMG.0069");
  case object_exists: return entry("IMG.0070");
  case object_name_empty: return entry("IMG.0073");
  case object_name_too_long: return entry("IMG.0074");
  case object_name_invalid: return entry("IMG.0075");
  case conversion_failed: return entry("IMG.0071");
  case format_unwritable: return entry("IMG.0072");
  case share_with_self: return entry("IMG.0076");
  case public_not_exported: return entry("IMG.0077");
  case export_forbidden: return entry("IMG.0079");
  case from_backup: return entry("IMG.0080");
  case public_of_others: return entry("IMG.0083");
  case unauthenticated: return entry("IMG.0087");
  case member_limit:
  case sharing_quota: return entry("IMG.0088");
  case image_is_public: return entry("IMG.0089");
  case encrypted_default_key: return entry("IMG.0098");
  case key_not_granted: return entry("IMG.0099");
  case no_key_service: return entry("IMG.0100");
  case key_missing: return entry("IMG.0101");
  case key_disabled: return entry("IMG.0102");
  case not_offered:
  case read_only_attribute:
  case reserved_attribute: return entry("IMG.0105");
  case project_unknown: return entry("IMG.0108");
  case bucket_name_invalid: return entry("IMG.0109");
  case member_not_stored: return entry("IMG.0112");
  case member_not_removed: return entry("IMG.0113");
  case bare_metal_encrypted: return entry("IMG.0118");
  case member_not_found: return entry("IMG.0114");
  case tag_form:
  case tag_not_found: return entry("IMG.0115");
  case tag_limit: return entry("IMG.0116");
  case os_type: return entry("IMG.0122");
  case full_server_not_exported: return entry("IMG.0128");
  case full_server_not_copied: return entry("IMG.0130");
  case full_server_image: return entry("IMG.0135");
  case firmware_type: return entry("IMG.0141");
  case image_not_found:
  case not_found:
  case image_gone: return entry("IMG.0144");
  case export_running: return entry("IMG.0148");
  case enterprise_project_form: return entry("IMG.0155");
  case export_too_large: return entry("IMG.0160");
  case iso_without_os: return entry("IMG.0166");
  case iso_image: return entry("IMG.0167");
  case vault_missing: return entry("IMG.0184");
  case share_not_accepted: return entry("IMG.0196");
  case encrypted_share: return entry("IMG.0197");
  case architecture: return entry("IMG.0212");
  default: return entry("IMG.0061"); // nothing a client could act on
  }
}

} // namespace vitrine::api::ims
