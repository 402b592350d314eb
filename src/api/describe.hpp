// The references that are printed from the declarations of the endpoints and the error tables of
// the families: docs/generated/openapi.json and errors.md.
#pragma once

#include <string>

namespace vitrine::api {

/// OpenAPI 3.1 of every endpoint, one line of JSON each. Statuses of failures are those that the
/// families really answer.
std::string describe_openapi();

/// Every fault with its default text and what each family answers to it, as Markdown.
std::string describe_errors_markdown();

} // namespace vitrine::api
