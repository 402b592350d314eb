# All that the provider has for images: one from a file, which is shared and accepted, a system disk
# and a data disk from a bucket, and each found again. The variables are what a second apply changes.

terraform {
  required_providers {
    opentelekomcloud = { source = "opentelekomcloud/opentelekomcloud" }
  }
}

variable "demo" {
  type      = map(string)
  sensitive = true
}

variable "alt" {
  type      = map(string)
  sensitive = true
}

variable "recipient" { type = string }
variable "disk" { type = string }
variable "bucket" { type = string }
variable "prefix" { type = string }
variable "tags" { type = map(string) }
variable "answer" { type = string }

provider "opentelekomcloud" {
  auth_url    = var.demo.auth_url
  domain_name = "Default"
  tenant_name = "demo"
  user_name   = lookup(var.demo, "user_name", null)
  password    = lookup(var.demo, "password", null)
  access_key  = lookup(var.demo, "access_key", null)
  secret_key  = lookup(var.demo, "secret_key", null)
}

provider "opentelekomcloud" {
  alias       = "recipient"
  auth_url    = var.alt.auth_url
  domain_name = "Default"
  tenant_name = "alt"
  user_name   = var.alt.user_name
  password    = var.alt.password
}

resource "opentelekomcloud_images_image_v2" "uploaded" {
  name             = "${var.prefix}-uploaded"
  local_file_path  = var.disk
  container_format = "bare"
  disk_format      = "raw"
  min_disk_gb      = 2
  min_ram_mb       = 512
  tags             = [for key, value in var.tags : "${key}=${value}"]
}

resource "opentelekomcloud_images_image_access_v2" "shared" {
  image_id  = opentelekomcloud_images_image_v2.uploaded.id
  member_id = var.recipient
}

resource "opentelekomcloud_images_image_access_accept_v2" "accepted" {
  provider   = opentelekomcloud.recipient
  depends_on = [opentelekomcloud_images_image_access_v2.shared]
  image_id   = opentelekomcloud_images_image_v2.uploaded.id
  member_id  = var.recipient
  status     = var.answer
}

resource "opentelekomcloud_ims_image_v2" "system" {
  name        = "${var.prefix}-system"
  description = "of a bucket"
  image_url   = "${var.bucket}:disk.raw"
  os_version  = "Debian GNU/Linux 12.0.0 64bit"
  min_disk    = 3
  min_ram     = 1024
  max_ram     = 4096
  tags        = var.tags
}

resource "opentelekomcloud_ims_data_image_v2" "data" {
  name        = "${var.prefix}-data"
  description = "of the same"
  image_url   = "${var.bucket}:disk.raw"
  os_type     = "Linux"
  min_disk    = 40
  tags        = var.tags
}

# Read when it is shared, which is what its visibility says from then on.
data "opentelekomcloud_images_image_v2" "uploaded" {
  depends_on = [opentelekomcloud_images_image_access_accept_v2.accepted]
  name       = opentelekomcloud_images_image_v2.uploaded.name
}

data "opentelekomcloud_images_image_v2" "newest" {
  depends_on  = [opentelekomcloud_ims_image_v2.system, opentelekomcloud_ims_data_image_v2.data]
  name_regex  = "^${var.prefix}-(system|data)$"
  sort_key    = "name"
  most_recent = true
}

output "images" {
  value = {
    uploaded = opentelekomcloud_images_image_v2.uploaded.id
    system   = opentelekomcloud_ims_image_v2.system.id
    data     = opentelekomcloud_ims_data_image_v2.data.id
  }
}

output "found" { value = data.opentelekomcloud_images_image_v2.uploaded }
output "newest" { value = data.opentelekomcloud_images_image_v2.newest.id }
