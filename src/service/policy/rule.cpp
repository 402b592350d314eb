#include "service/policy/rule.hpp"

#include "base/text.hpp"

#include <array>
#include <fmt/format.h>
#include <optional>

namespace vitrine::service::policy {
namespace {

using Op = Expression::Op;

constexpr std::size_t kRuleBytesMax = 16U << 10U;
constexpr int kNestingMax = 32;

template <class T>
struct Named {
  std::string_view name;
  T value;
};

constexpr auto kCredentials = std::to_array<Named<Credential>>({
    {"user_id", Credential::user_id},
    {"user", Credential::user_id},
    {"project_id", Credential::project_id},
    {"tenant", Credential::project_id},
    {"domain_id", Credential::domain_id},
    {"is_admin", Credential::is_admin},
    {"roles", Credential::roles},
});

constexpr auto kTargetAttributes = std::to_array<Named<Attribute>>({
    {"owner", Attribute::owner},
    {"project_id", Attribute::owner},
    {"tenant", Attribute::owner},
    {"member_id", Attribute::member_id},
    {"visibility", Attribute::visibility},
    {"user_id", Attribute::user_id},
    {"domain_id", Attribute::domain_id},
    {"image_id", Attribute::image_id},
    {"status", Attribute::status},
    {"protected", Attribute::is_protected},
    {"os_hidden", Attribute::os_hidden},
});

template <class T, std::size_t N>
T named(std::array<Named<T>, N> const& table, std::string_view name) {
  for (auto const& row : table) {
    if (row.name == name) return row.value;
  }
  return T::unknown;
}

Error fault(std::string detail) { return error(Fault::invalid_value, std::move(detail)); }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// `pre%(name)spost` to pieces.
Result<std::vector<Piece>> parse_match(std::string_view text, Warnings& warnings) {
  std::vector<Piece> pieces(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      pieces.back().text += text[i];
      continue;
    }
    auto const rest = text.substr(i);
    if (rest.starts_with("%%")) {
      pieces.back().text += '%';
      ++i;
      continue;
    }
    auto const end = rest.find(")s");
    if (!rest.starts_with("%(") || end == std::string_view::npos || end == 2) {
      return fault(fmt::format("'{}' is not %(name)s", rest));
    }
    auto const name = rest.substr(2, end - 2);
    auto const attribute = named(kTargetAttributes, name);
    if (attribute == Attribute::unknown) {
      warnings.push_back(fmt::format("no target has '{}': the check never matches", name));
    }
    pieces.back().attribute = attribute;
    pieces.back().has_attribute = true;
    pieces.emplace_back();
    i += end + 1;
  }
  return pieces;
}

bool is_number(std::string_view text) {
  return text::is_digit(text.front()) ||
         (text.size() > 1 && text.front() == '-' && text::is_digit(text[1]));
}

// Kinds that stand for themselves; nothing for the name of a credential.
std::optional<Check> literal_check(std::string_view kind) {
  Check check;
  if (kind == "None") {
    check.left = Check::Left::none;
    return check;
  }
  char const quote = kind.front();
  if (kind.size() >= 2 && (quote == '\'' || quote == '"') && kind.back() == quote) {
    check.literal = kind.substr(1, kind.size() - 2);
    return check;
  }
  if (kind == "True" || kind == "False" || is_number(kind)) {
    check.literal = kind;
    return check;
  }
  return std::nullopt;
}

// Where the kind ends: the first colon, or the one after the closing quote.
std::size_t find_colon(std::string_view word) {
  if (word.front() == '\'' || word.front() == '"') {
    auto const close = word.find(word.front(), 1);
    return close == std::string_view::npos ? close : word.find(':', close);
  }
  return word.find(':');
}

class Parser {
public:
  Parser(std::string_view text, Warnings& warnings) : text_(text), warnings_(warnings) { next(); }

  Result<Expression> rule() {
    if (kind_ == Token::end) return Expression{.op = Op::always};
    auto expression = TRY(any_of(0));
    if (kind_ != Token::end) return unexpected("the end");
    return expression;
  }

private:
  enum class Token : std::uint8_t { end, open, close, word_and, word_or, word_not, check };

  void next() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
    if (at_ == text_.size()) {
      kind_ = Token::end;
      word_ = {};
      return;
    }
    char const c = text_[at_];
    if (c == '(' || c == ')') {
      kind_ = c == '(' ? Token::open : Token::close;
      word_ = text_.substr(at_++, 1);
      return;
    }
    auto end = at_;
    while (end < text_.size() && !is_blank(text_[end]))
      ++end;
    // Closing parentheses at the end of a word close groups; the one inside %(name)s is not at the
    // end.
    while (text_[end - 1] == ')')
      --end;
    word_ = text_.substr(at_, end - at_);
    at_ = end;
    auto const lower = text::to_lower(word_);
    kind_ = lower == "and"   ? Token::word_and
            : lower == "or"  ? Token::word_or
            : lower == "not" ? Token::word_not
                             : Token::check;
  }

  Error unexpected(std::string_view wanted) const {
    return kind_ == Token::end ? fault(fmt::format("the rule ends where {} belongs", wanted))
                               : fault(fmt::format("'{}' where {} belongs", word_, wanted));
  }

  Result<Expression> any_of(int depth) {
    std::vector<Expression> operands;
    operands.push_back(TRY(all_of(depth)));
    while (kind_ == Token::word_or) {
      next();
      operands.push_back(TRY(all_of(depth)));
    }
    return join(Op::any_of, std::move(operands), Op::never);
  }

  Result<Expression> all_of(int depth) {
    std::vector<Expression> operands;
    operands.push_back(TRY(negation(depth)));
    while (kind_ == Token::word_and) {
      next();
      operands.push_back(TRY(negation(depth)));
    }
    return join(Op::all_of, std::move(operands), Op::always);
  }

  Result<Expression> negation(int depth) {
    if (depth > kNestingMax) return fault(fmt::format("nested deeper than {}", kNestingMax));
    if (kind_ == Token::word_not) {
      next();
      Expression out{.op = Op::negation};
      out.operands.push_back(TRY(negation(depth + 1)));
      return out;
    }
    if (kind_ == Token::open) {
      next();
      auto inner = TRY(any_of(depth + 1));
      if (kind_ != Token::close) return unexpected("')'");
      next();
      return inner;
    }
    if (kind_ != Token::check) return unexpected("a check");
    auto check = TRY(parse_check(word_, warnings_));
    next();
    return check;
  }

  std::string_view text_;
  Warnings& warnings_;
  std::size_t at_{0};
  Token kind_{Token::end};
  std::string_view word_;
};

} // namespace

Expression join(Op op, std::vector<Expression> operands, Op when_empty) {
  if (operands.empty()) return Expression{.op = when_empty};
  if (operands.size() == 1) return std::move(operands.front());
  return Expression{.op = op, .operands = std::move(operands)};
}

Result<Expression> parse_check(std::string_view word, Warnings& warnings) {
  if (word == "@") return Expression{.op = Op::always};
  if (word == "!") return Expression{.op = Op::never};
  if (word.empty()) return fault("a check is empty");
  auto const colon = find_colon(word);
  if (colon == std::string_view::npos) return fault(fmt::format("'{}' is not kind:match", word));
  auto const kind = word.substr(0, colon);
  auto const match = word.substr(colon + 1);
  if (kind.empty() || match.empty()) {
    return fault(fmt::format("'{}' lacks a word beside ':'", word));
  }
  if (kind == "rule") return Expression{.op = Op::reference, .name = std::string(match)};
  if (kind == "http" || kind == "https") {
    return fault(fmt::format("'{}': remote checks are not offered", word));
  }
  Expression out{.op = Op::check};
  if (kind == "role") {
    out.check.left = Check::Left::role;
  } else if (auto literal = literal_check(kind)) {
    out.check = std::move(*literal);
  } else {
    out.check.left = Check::Left::credential;
    out.check.credential = named(kCredentials, kind);
    if (out.check.credential == Credential::unknown) {
      warnings.push_back(fmt::format("no caller has '{}': the check never matches", kind));
    }
  }
  out.check.match = TRY(parse_match(match, warnings));
  return out;
}

Result<Expression> parse_rule(std::string_view text, Warnings& warnings) {
  if (text.size() > kRuleBytesMax) return fault(fmt::format("longer than {} bytes", kRuleBytesMax));
  return Parser(text, warnings).rule();
}

} // namespace vitrine::service::policy
