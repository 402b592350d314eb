// The text that describes a VMDK, alone in a file or embedded in a sparse one.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace vitrine::formats {

/// Whether the first bytes of a file read as a descriptor, to the most lenient reader: comments and
/// blank lines, then a line that only a descriptor has.
bool is_vmdk_descriptor(std::string_view text);

/// The rules of an embedded descriptor: one whole disk in this one file. Fault::format_unsafe when
/// anything else is named, and when readers could disagree on what it says.
Result<> check_vmdk_descriptor(std::string_view text);

} // namespace vitrine::formats
