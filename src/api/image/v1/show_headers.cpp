// HEAD /v1/images/{image_id}: an image as headers (contract: ims-api 10.4).
#include "api/documents/image.hpp"
#include "api/image/v1/image_v1.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/images.hpp"

#include <algorithm>

namespace vitrine::api::image {
namespace {

// Headers that clients and proxies take; a property that finds no more room is left out.
constexpr std::size_t kPropertyBytesMax = 16U << 10U;

// Names of headers have these characters only (RFC 9110 5.6.2).
bool is_header_name(std::string_view name) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return std::ranges::all_of(
      name, [](char c) { return text::is_alnum(c) || marks.find(c) != std::string_view::npos; });
}

// A line end would begin the next header.
std::string header_value(std::string_view text) {
  std::string out(text::trim(text));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }, ' ');
  return out;
}

class Headers {
public:
  explicit Headers(Reply& reply) : reply_(reply) {}

  void text(std::string_view name, std::string_view value) {
    reply_.headers.push_back({"X-Image-Meta-" + std::string(name), header_value(value)});
  }
  void maybe(std::string_view name, std::optional<std::string> const& value) {
    if (value) text(name, std::string_view(*value));
  }
  void flag(std::string_view name, bool value) { text(name, value ? "True" : "False"); }
  void number(std::string_view name, std::optional<std::int64_t> value) {
    if (value) text(name, std::to_string(*value));
  }
  void property(std::string_view name, std::string_view value) {
    auto const bytes = name.size() + value.size();
    if (!is_header_name(name) || bytes > left_) return;
    left_ -= bytes;
    text("Property-" + std::string(name), value);
  }

private:
  Reply& reply_;
  std::size_t left_{kPropertyBytesMax};
};

void write_fields(Headers& headers, model::Image const& image) {
  headers.text("Id", image.id.text);
  headers.maybe("Name", image.name);
  headers.text("Status", name_of(image.status));
  headers.number("Size", image.size_bytes);
  headers.number("Virtual_size", image.virtual_size_bytes);
  headers.maybe("Checksum", image.checksum);
  headers.maybe("Disk_format", image.disk_format);
  headers.maybe("Container_format", image.container_format);
  headers.number("Min_disk", image.min_disk_gib);
  headers.number("Min_ram", image.min_ram_mib);
  headers.text("Owner", image.owner.text);
  headers.flag("Protected", image.is_protected);
  headers.flag("Is_public", image.visibility == model::Visibility::public_);
  headers.flag("Deleted", false);
  headers.text("Created_at", time_v1(image.created_at));
  headers.text("Updated_at", time_v1(image.updated_at));
}

Result<Reply> run(Context& context, Services& services) {
  auto const image =
      TRY(services.images.show(context.caller, ImageId{text::to_lower(context.param("image_id"))}));
  auto const view = documents::native_view(services.images.options().ims_profile);
  auto const properties = TRY(json::parse(documents::properties_json(image, context.caller, view)));
  auto reply = empty_reply(200);
  Headers headers(reply);
  write_fields(headers, image);
  for (auto const& [name, value] : properties.as_object())
    headers.property({name.data(), name.size()}, json::view(value.as_string()));
  if (image.checksum) reply.headers.push_back({"ETag", *image.checksum});
  return reply;
}

} // namespace

Endpoint show_headers() {
  return plain_endpoint({.verb = Verb::head,
                         .path = "/v1/images/{image_id}",
                         .name = "image.v1.show_headers",
                         .family = &image_family,
                         .action = "ims:images:get",
                         .errors = {Fault::forbidden, Fault::image_not_found},
                         .summary = "Show an image as headers. Deprecated."},
                        run);
}

} // namespace vitrine::api::image
