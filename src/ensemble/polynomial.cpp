#include "sde/ensemble/polynomial.hpp"

#include <fmt/format.h>

#include <cctype>
#include <stdexcept>

namespace sde::ensemble {

namespace {

class Parser {
 public:
  Parser(const std::string& text, int dim) : text_(text), dim_(dim) {}

  std::vector<Polynomial::Term> all() {
    std::vector<Polynomial::Term> terms;
    double sign = 1;
    if (accept('-')) sign = -1;
    terms.push_back(term(sign));
    for (;;) {
      if (accept('+'))
        terms.push_back(term(1));
      else if (accept('-'))
        terms.push_back(term(-1));
      else
        break;
    }
    if (at_ < text_.size()) fail("'+', '-', '*' or the end");
    return terms;
  }

 private:
  Polynomial::Term term(double sign) {
    Polynomial::Term t;
    t.coefficient = sign;
    do {
      skip();
      if (at_ < text_.size() && text_[at_] == 'x') {
        ++at_;
        const int index = integer();
        if (index < 1 || index > dim_) fail(fmt::format("a coordinate x1 to x{}", dim_));
        const int power = accept('^') ? integer() : 1;
        t.powers.emplace_back(index - 1, power);
      } else {
        t.coefficient *= number();
      }
    } while (accept('*'));
    return t;
  }
  int integer() {
    skip();
    const std::size_t from = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    if (at_ == from || at_ - from > 6) fail("a whole number");
    return std::stoi(text_.substr(from, at_ - from));
  }
  double number() {
    skip();
    if (at_ >= text_.size() || !(std::isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.'))
      fail("a number or a coordinate");
    std::size_t used = 0;
    const double v = std::stod(text_.substr(at_), &used);
    at_ += used;
    return v;
  }
  bool accept(char c) {
    skip();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  [[noreturn]] void fail(const std::string& expected) const {
    throw std::invalid_argument(fmt::format("'{}' is not a polynomial of x1..x{}: expected {} at character {}", text_,
                                            dim_, expected, at_ + 1));
  }

  const std::string& text_;
  const int dim_;
  std::size_t at_ = 0;
};

}  // namespace

Polynomial Polynomial::parse(const std::string& text, int dim) { return {text, Parser(text, dim).all()}; }

double Polynomial::operator()(const double* x) const {
  double sum = 0;
  for (const auto& t : terms) {
    double product = t.coefficient;
    for (const auto& [index, power] : t.powers)
      for (int i = 0; i < power; ++i) product *= x[index];
    sum += product;
  }
  return sum;
}

}  // namespace sde::ensemble
