#include "console/blobs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <ostream>
#include <utility>

namespace vitrine::console {
namespace {

struct Checking {
  BlobTools tools;
  Place place{};
};

/// Whose data it is: an operator answers to projects, who know their images and no blobs.
std::string users_text(store::BlobUsers const& users) {
  std::string out;
  for (auto const& [image, owner] : users.first)
    out += fmt::format(", image {} of project {}", image.text, owner.text);
  auto const more = users.count - std::ssize(users.first);
  if (more > 0) out += fmt::format(" and {} more", more);
  return out;
}

Result<> check(Checking const& asked) {
  auto const report = TRY(asked.tools.check(asked.place));
  for (auto const& finding : report.findings) {
    asked.tools.out << fmt::format(
        "{}: {}, {} bytes stored, {} expected{}\n", service::name_of(finding.kind), finding.id.text,
        finding.stored_bytes, finding.expected_bytes, users_text(finding.users));
  }
  asked.tools.out << fmt::format("{} blobs compared, {} wrong\n", report.blobs,
                                 report.findings.size());
  if (report.findings.empty()) return {};
  return error(Fault::conflict, "the image data is not as it should be");
}

} // namespace

void add_blob_commands(CLI::App& program, std::function<Result<>()>& chosen, BlobTools tools) {
  auto const asked = std::make_shared<Checking>(std::move(tools));
  auto* blobs = program.add_subcommand("blobs", "The image data of the service");
  blobs->require_subcommand(1);
  auto* command = blobs->add_subcommand(
      "check", "Compare what is stored with what should be; fails when anything is wrong");
  add_place(*command, asked->place);
  command->callback([asked, &chosen] { chosen = [asked] { return check(*asked); }; });
}

} // namespace vitrine::console
