#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace vitrine {

// The examples of FIPS 180-2.
TEST(Hash, HashesBytesAtOnceAndInPieces) {
  std::string_view const text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  std::string_view const expected =
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
  EXPECT_EQ(sha256_hex(text), expected);
  auto const bytes = std::as_bytes(std::span(text));
  Hash hash(HashAlgorithm::sha256);
  hash.add(bytes.first(5));
  hash.add(bytes.subspan(5));
  EXPECT_EQ(hash.take_hex(), expected);
  EXPECT_EQ(hash.take_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  hash.add(bytes.first(3));
  EXPECT_EQ(hash.take_hex(), sha256_hex(text.substr(0, 3)));
}

} // namespace vitrine
