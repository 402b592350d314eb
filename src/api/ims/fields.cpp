#include "api/ims/fields.hpp"

#include "model/image_texts.hpp"

namespace vitrine::api {

Result<ims::ImageName> Wire<ims::ImageName>::read(json::Value const& value,
                                                  std::string_view field) {
  if (!value.is_string()) return error(Fault::name_not_text, {}, std::string(field));
  auto text = TRY(Wire<std::string>::read(value, field));
  TRY(model::check_image_name(text));
  return ims::ImageName{std::move(text)};
}

Result<ims::Description> Wire<ims::Description>::read(json::Value const& value,
                                                      std::string_view field) {
  auto text = TRY(Wire<std::string>::read(value, field));
  TRY(model::check_description(text));
  return ims::Description{std::move(text)};
}

Result<model::ObjectUrl> Wire<model::ObjectUrl>::read(json::Value const& value,
                                                      std::string_view field) {
  auto const text = TRY(Wire<std::string>::read(value, field));
  return model::parse_object_url(text, field);
}

Result<ims::EnterpriseProject> Wire<ims::EnterpriseProject>::read(json::Value const& value,
                                                                  std::string_view field) {
  auto text = TRY(Wire<std::string>::read(value, field));
  TRY(model::check_enterprise_project(text));
  return ims::EnterpriseProject{std::move(text)};
}

} // namespace vitrine::api
