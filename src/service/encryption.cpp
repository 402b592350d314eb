#include "service/encryption.hpp"

#include "base/text.hpp"
#include "store/blobs/sealed.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/key_grants.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::service {
namespace {

bool is_for_bare_metal(model::Image const& image) {
  auto const kind = image.property("virtual_env_type");
  return kind == "Ironic" || kind == "BMS";
}

// The same failures, told of a key that is asked for rather than of one that an image has.
Error of_new_key(Error const& failure) {
  switch (failure.fault) {
  case Fault::key_missing: return error(Fault::new_key_missing, {}, "cmk_id");
  case Fault::key_disabled: return error(Fault::new_key_disabled, {}, "cmk_id");
  default: return failure;
  }
}

Result<> require_enabled(KeyStates& states, std::string_view key) {
  switch (TRY(states.of(key))) {
  case store::KeyState::missing: return error(Fault::key_missing);
  case store::KeyState::disabled: return error(Fault::key_disabled);
  case store::KeyState::enabled: break;
  }
  return {};
}

} // namespace

Result<store::KeyState> KeyStates::of(std::string_view key) {
  return answer_to({std::string(key), {}});
}

Result<store::KeyState> KeyStates::of_default(ProjectId const& project) {
  return answer_to({std::string(kDefaultKey), project});
}

Result<store::KeyState> KeyStates::answer_to(Question const& question) {
  auto const& answer = answers_[question];
  if (!answer) return store::KeyState::enabled;
  return *answer;
}

bool KeyStates::has_questions() const {
  return std::ranges::any_of(answers_, [](auto const& each) { return !each.second; });
}

void KeyStates::ask(store::KeyService& keys) {
  std::optional<Error> silent; // of a service that does not answer, each question takes long
  auto const state = [&](Question const& of) {
    return of.key == kDefaultKey ? keys.default_key_state(of.project) : keys.state(of.key);
  };
  for (auto& [question, answer] : answers_) {
    if (answer) continue;
    answer = silent ? Result<store::KeyState>(*silent) : state(question);
    if (!*answer && answer->error().kind() == Kind::unavailable) silent = answer->error();
  }
}

Result<> Encryption::in_unit(Run const& run, KeyWork const& work) const {
  KeyStates states;
  for (;;) {
    auto done = run([&](store::Connection& connection) -> Result<> {
      auto worked = work(connection, states);
      // Rolls the unit back; nobody is told.
      if (states.has_questions()) return error(Fault::conflict, "a key must be asked for");
      return worked;
    });
    if (!states.has_questions()) return done;
    states.ask(keys_);
  }
}

std::optional<std::string> key_of(model::Image const& image) {
  auto key = image.property(kKeyProperty);
  if (!key || key->empty()) return std::nullopt;
  return key_named(*key);
}

std::string key_named(std::string_view cmk_id) {
  if (cmk_id == "default") return std::string(kDefaultKey);
  return is_uuid(cmk_id) ? text::to_lower(cmk_id) : std::string(cmk_id);
}

Result<> Encryption::check_new(store::Connection& connection, KeyStates& states,
                               model::Caller const& caller, model::Image const& image,
                               std::string_view key) {
  if (image.disk_format == "iso" || image.property("virtual_env_type") == "IsoImage") {
    return error(Fault::iso_image, {}, "cmk_id");
  }
  if (is_for_bare_metal(image)) return error(Fault::bare_metal_encrypted, {}, "cmk_id");
  bool const is_default = key == kDefaultKey;
  auto const state = TRY(is_default ? states.of_default(caller.project) : states.of(key));
  // One that is missing is made when it is used.
  if (!is_default && state == store::KeyState::missing) {
    return error(Fault::new_key_missing, {}, "cmk_id");
  }
  // Whether it is disabled is nothing to those who may not use it.
  if (!is_default &&
      !TRY(store::KeyGrants(connection).is_granted(key, caller.project, caller.domain))) {
    return error(Fault::new_key_not_granted, {}, "cmk_id");
  }
  if (state == store::KeyState::disabled) return error(Fault::new_key_disabled, {}, "cmk_id");
  return {};
}

Result<> Encryption::check_use(store::Connection& connection, KeyStates& states,
                               model::Caller const& caller, model::Image const& image) {
  auto granted = check_grant(connection, caller, image);
  // Whether it is disabled is nothing to those who may not use the key of another's image.
  if (!granted && caller.project != image.owner) return granted;
  auto key = key_of(image);
  if (key == kDefaultKey) { // which one that is, its data key tells
    auto const wrapped = TRY(store::ImageKeys(connection).find(image.id));
    key = wrapped ? std::optional(wrapped->key) : std::nullopt;
  }
  if (key) TRY(require_enabled(states, *key));
  return granted;
}

Result<> Encryption::check_grant(store::Connection& connection, model::Caller const& caller,
                                 model::Image const& image) {
  auto const key = key_of(image);
  if (!key) return {};
  bool const granted =
      *key == kDefaultKey
          ? caller.project == image.owner
          : TRY(store::KeyGrants(connection).is_granted(*key, caller.project, caller.domain));
  return granted ? Result<>() : error(Fault::own_key_not_granted);
}

Result<std::optional<Fault>> Encryption::forbids_sharing(KeyStates& states,
                                                         model::Image const& image) {
  auto const key = key_of(image);
  if (!key) return std::optional<Fault>();
  if (*key == kDefaultKey) return std::optional(Fault::encrypted_default_key);
  auto const usable = require_enabled(states, *key);
  if (usable) return std::optional<Fault>();
  if (usable.error().kind() == Kind::unavailable) return Error(usable.error());
  return std::optional(usable.error().fault);
}

Result<Seal> Encryption::seal(model::Image const& image, std::string_view key) const {
  auto const id = key == kDefaultKey ? TRY(keys_.default_key(image.owner)) : std::string(key);
  auto data_key = store::Secret::random();
  auto wrapped = keys_.wrap(id, data_key, image.id.text);
  if (!wrapped) return of_new_key(wrapped.error());
  return Seal{std::move(data_key), std::move(*wrapped)};
}

Result<std::unique_ptr<StoredBytes>>
Encryption::open(model::Image const& image, std::optional<store::WrappedKey> const& wrapped) const {
  if (!wrapped) return blobs_.open(image.blob);
  auto const data_key = TRY(keys_.unwrap(*wrapped, image.id.text));
  auto sealed = TRY(blobs_.open(image.blob));
  return store::unseal(std::move(sealed), data_key, image.blob);
}

Result<std::unique_ptr<StoredBytes>>
Encryption::open_whole(model::Image const& image,
                       std::optional<store::WrappedKey> const& wrapped) const {
  auto bytes = open(image, wrapped);
  bool const lost = !bytes && bytes.error().fault == Fault::not_found;
  bool const cut =
      bytes && std::cmp_not_equal((*bytes)->size_bytes(), image.size_bytes.value_or(0));
  if (!lost && !cut) return bytes;
  return error(Fault::internal, "The image store does not have all the data of the image.");
}

} // namespace vitrine::service
