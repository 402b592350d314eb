// The little of XML that answers of object stores need: elements by name, their text.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace vitrine::store::s3 {

/// What stands in each element of that name, in order, nested or not; markup is left in it. An
/// element that is cut off is not there. Elements of one name must not contain each other.
void each_element(std::string_view xml, std::string_view name,
                  std::function<void(std::string_view inner)> const& each);

/// Is there an element of that name, whole and whatever its attributes?
bool has_element(std::string_view xml, std::string_view name);

/// The text of the first element of that name, entities decoded; empty when there is none.
std::string text_in(std::string_view xml, std::string_view name);

} // namespace vitrine::store::s3
