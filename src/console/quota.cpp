#include "console/quota.hpp"

#include "console/operator.hpp"
#include "service/quotas.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <ostream>
#include <utility>

namespace vitrine::console {
namespace {

struct Session {
  QuotaTools tools;
  Place place;
  QuotaTools::Project project;
  std::string resource;
  std::int64_t limit{0};
};

using Shared = std::shared_ptr<Session>;
using Work = Result<> (*)(Session const&, service::Quotas&, ProjectId const&,
                          service::Change const&);

Result<> show(Session const& session, service::Quotas& quotas, ProjectId const& project,
              service::Change const&) {
  for (auto const& row : TRY(quotas.usage(project))) {
    session.tools.out << fmt::format("{:12}  {} of {}\n", row.type, row.used, row.quota);
  }
  return {};
}

Result<> set(Session const& session, service::Quotas& quotas, ProjectId const& project,
             service::Change const& change) {
  return quotas.set(project, session.resource, session.limit, change);
}

Result<> reset(Session const& session, service::Quotas& quotas, ProjectId const& project,
               service::Change const& change) {
  return quotas.reset(project, session.resource, change);
}

CLI::App* add_command(CLI::App& parent, Shared const& session, std::function<Result<>()>& chosen,
                      std::string const& name, std::string const& text, Work work) {
  auto* command = parent.add_subcommand(name, text)->fallthrough();
  add_place(*command, session->place);
  command
      ->add_option("project", session->project.text,
                   "Its id, or its name where the built-in identity knows it")
      ->required();
  command->callback([session, &chosen, work] {
    chosen = [session, work]() -> Result<> {
      session->project.was_set = work == reset;
      return session->tools.with_quotas(
          session->place, session->project,
          [&](service::Quotas& quotas, ProjectId const& project, Time now) {
            return work(*session, quotas, project, {operator_of("vitrine quota"), now});
          });
    };
  });
  return command;
}

} // namespace

void add_quota_commands(CLI::App& program, std::function<Result<>()>& chosen, QuotaTools tools) {
  auto const session = std::make_shared<Session>(std::move(tools));
  auto* quota = program.add_subcommand("quota", "How much a project may have");
  quota->require_subcommand(1);
  add_place(*quota, session->place);
  add_command(*quota, session, chosen, "show", "Show what a project uses of what it may.", show);
  auto* setting =
      add_command(*quota, session, chosen, "set", "Give a project a limit of its own.", set);
  auto* resetting = add_command(*quota, session, chosen, "reset",
                                "Let the configured limit hold for a project again.", reset);
  for (auto* command : {setting, resetting}) {
    command->add_option("resource", session->resource, "image, image_shared or image_member")
        ->required();
  }
  setting->add_option("limit", session->limit, "At most so many")->required();
}

} // namespace vitrine::console
