#include "store/keys/secret.hpp"

#include "base/result.hpp"

#include <cstring>
#include <new>
#include <openssl/rand.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace vitrine::store {
namespace {

constexpr std::size_t kPageBytes = 4096;

} // namespace

Secret::Secret() {
  void* const page =
      ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  ::madvise(page, kPageBytes, MADV_DONTDUMP);
  // Only so many pages may be locked (RLIMIT_MEMLOCK); a key beyond them is one all the same.
  ::mlock(page, kPageBytes);
  memory_ = static_cast<std::uint8_t*>(page);
}

Secret Secret::random() {
  Secret secret;
  CHECK(RAND_priv_bytes(secret.memory_, kBytes) == 1);
  return secret;
}

Secret::~Secret() {
  if (memory_ == nullptr) return;
  ::explicit_bzero(memory_, kBytes);
  ::munmap(memory_, kPageBytes);
}

SecretText::~SecretText() { ::explicit_bzero(text_.data(), text_.size()); }

void forbid_core_dumps() noexcept {
  rlimit const none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

} // namespace vitrine::store
