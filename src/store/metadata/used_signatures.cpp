#include "store/metadata/used_signatures.hpp"

namespace vitrine::store {

Result<bool> UsedSignatures::add(std::string_view signature, Time forget_at) {
  return TRY(connection_.run(sql::add_used_signature, {signature, forget_at})) > 0;
}

Result<std::int64_t> UsedSignatures::forget(Time now, std::int64_t count_max) {
  return connection_.run(sql::forget_used_signatures, {now, count_max});
}

} // namespace vitrine::store
