#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind add_members(KindServices const& services);
JobKind remove_members(KindServices const& services);
JobKind answer_shares(KindServices const& services);
JobKind copy_image(KindServices const& services);
JobKind export_image(KindServices const& services);
JobKind import_data(KindServices const& services);
JobKind import_image(KindServices const& services);
JobKind import_images(KindServices const& services);
JobKind import_iso(KindServices const& services);
JobKind register_image(KindServices const& services);

std::vector<JobKind> all_kinds(KindServices const& services) {
  return {add_members(services), remove_members(services), answer_shares(services),
          copy_image(services),  import_image(services),   import_iso(services),
          import_data(services), import_images(services),  register_image(services),
          export_image(services)};
}

} // namespace vitrine::jobs
