// Who exists: domains, projects, users, roles and who holds which role where. No secret is in here.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

using RoleId = Id<struct RoleTag>;             ///< 32 lower-case hex
using CredentialId = Id<struct CredentialTag>; ///< of an application credential; 32 lower-case hex

struct Domain {
  DomainId id;
  std::string name; ///< unique, ignoring case
  std::string description;
  bool enabled{true};
};

struct Project {
  ProjectId id;
  DomainId domain;
  std::string name; ///< unique within the domain
  std::string description;
  bool enabled{true};
  Time created_at;
};

struct User {
  UserId id;
  DomainId domain;
  std::string name; ///< unique within the domain
  std::string description;
  std::string email;
  ProjectId default_project; ///< empty: none; need not exist
  bool enabled{true};
  Time created_at;
};

struct Role {
  RoleId id;
  std::string name; ///< unique, ignoring case
  std::string description;
};

/// What a role or a token reaches: one project, one domain, or nothing.
struct Scope {
  enum class Kind : std::uint8_t { none, project, domain };
  Kind kind{Kind::none};
  std::string id; ///< of the project or domain

  static Scope of(ProjectId const& project) { return {Kind::project, project.text}; }
  static Scope of(DomainId const& domain) { return {Kind::domain, domain.text}; }
  friend bool operator==(Scope const&, Scope const&) = default;
};

/// A role that a user holds in a scope, with the names that go with the ids.
struct Assignment {
  UserId user;
  std::string user_name;
  Domain user_domain;
  Scope scope;
  std::string scope_name;
  Domain scope_domain; ///< of the project; the domain itself for a domain
  Role role;
};

/// A secret that stands for a user within one project, with some of their roles.
struct ApplicationCredential {
  CredentialId id;
  UserId user;
  ProjectId project;
  std::string name; ///< unique for the user
  std::string description;
  std::vector<Role> roles;
  std::optional<Time> expires_at;
  bool unrestricted{false}; ///< may manage application credentials
};

/// What signs requests for a user within one project. Its secret is not in here.
struct AccessKey {
  std::string id; ///< what a request names; 20 of `A-Z 2-7` when made here
  UserId user;
  ProjectId project;
  std::string description;
  Time created_at;
};

} // namespace vitrine::model
