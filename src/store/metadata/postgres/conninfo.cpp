#include "store/metadata/postgres/conninfo.hpp"

#include "base/ids.hpp"

#include <libpq-fe.h>
#include <vector>

namespace vitrine::store::postgres {
namespace {

constexpr std::string_view kName = "vitrine";
constexpr std::size_t kNameDigits = 8; // enough to tell the sessions of one number apart

} // namespace

Result<Conninfo> Conninfo::parse(ConnectionOptions const& options) {
  Conninfo conninfo;
  conninfo.settings_ = {
      {"application_name", std::string(kName)},
      {"connect_timeout", std::to_string(options.connect_timeout.count())},
      {"target_session_attrs", "read-write"}, // of several hosts, the primary
      // A peer that vanished without a word is noticed within half a minute.
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "25000"},
  };
  char* reason = nullptr;
  auto* const parsed = PQconninfoParse(options.url.c_str(), &reason);
  PQfreemem(reason);
  if (parsed == nullptr) {
    return error(Fault::unavailable, "database.url is not a PostgreSQL URL that can be read");
  }
  for (auto const* option = parsed; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) conninfo.settings_[option->keyword] = option->val;
  }
  PQconninfoFree(parsed);
  conninfo.settings_["client_encoding"] = "UTF8";
  conninfo.settings_["application_name"] += "-" + new_hex_id().substr(0, kNameDigits);
  return conninfo;
}

pg_conn* Conninfo::connect() const {
  std::vector<char const*> keywords;
  std::vector<char const*> values;
  for (auto const& [keyword, value] : settings_) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectdbParams(keywords.data(), values.data(), 0);
}

} // namespace vitrine::store::postgres
