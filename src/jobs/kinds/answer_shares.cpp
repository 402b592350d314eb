// imsUpdateImageMembersJob: a project accepts or rejects images (contract: ims-api 5.3).
#include "jobs/kinds/groups.hpp"

namespace vitrine::jobs {

JobKind answer_shares(KindServices const& services) {
  auto& sharing = services.sharing;
  return groups_kind(
      kAnswerShares, services, Fault::member_not_stored,
      [&sharing](JobContext const&, PairArguments const& arguments) -> Apply {
        return [&sharing, &arguments](store::Connection& connection, service::KeyStates&,
                                      service::Batch const& batch, ImageId const& image) {
          return sharing.answer_all(connection, batch, image, arguments.projects, arguments.status);
        };
      });
}

} // namespace vitrine::jobs
