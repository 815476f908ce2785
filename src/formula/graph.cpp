#include "sde/formula/graph.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "sde/core/error.hpp"
#include "sde/core/functions.hpp"

namespace sde::formula {

namespace {
constexpr int kMostDistributed = 200;  ///< height of a product whose powers are those of its factors: it is recursive
}

std::size_t Graph::Hash::operator()(const Node& n) const {
  std::size_t h = static_cast<std::size_t>(n.op) * 31 + static_cast<std::size_t>(n.source);
  for (const std::size_t part :
       {static_cast<std::size_t>(n.first), static_cast<std::size_t>(n.second), std::hash<double>()(n.value)})
    h ^= part + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2);
  return h;
}

Id Graph::add_node(const Node& node) {
  if (const auto found = ids_.find(node); found != ids_.end()) return found->second;
  if (size() >= kMostNodes)
    throw InputError("the formula and its derivatives have more than 2,000,000 subexpressions: expected fewer");
  const int operands = operand_count(node.op);
  const int below = operands == 0   ? -1
                    : operands == 1 ? height(node.first)
                                    : std::max(height(node.first), height(node.second));
  nodes_.push_back(node);
  heights_.push_back(below + 1);
  ids_.emplace(node, size() - 1);
  return size() - 1;
}

Id Graph::constant(double value) { return add_node({.op = Op::constant, .value = value == 0 ? 0.0 : value}); }
Id Graph::input(Source source, int index) { return add_node({.op = Op::input, .source = source, .first = index}); }

Id Graph::add(Id a, Id b) {
  if (is_constant(a) && is_constant(b)) return constant((*this)[a].value + (*this)[b].value);
  if (is_constant(a, 0)) return b;
  if (is_constant(b, 0)) return a;
  if (a == b) return multiply(constant(2), a);
  if ((*this)[b].op == Op::negate) return subtract(a, (*this)[b].first);
  if ((*this)[a].op == Op::negate) return subtract(b, (*this)[a].first);
  if (is_constant(a) || (!is_constant(b) && a > b)) std::swap(a, b);  // the sum of two is the same either way
  return add_node({.op = Op::add, .first = a, .second = b});
}

Id Graph::subtract(Id a, Id b) {
  if (is_constant(a) && is_constant(b)) return constant((*this)[a].value - (*this)[b].value);
  if (is_constant(b)) return add(a, constant(-(*this)[b].value));
  if (is_constant(a, 0)) return negate(b);
  if (a == b) return constant(0);
  if ((*this)[b].op == Op::negate) return add(a, (*this)[b].first);
  return add_node({.op = Op::subtract, .first = a, .second = b});
}

Id Graph::negate(Id a) {
  const Node node = (*this)[a];
  if (node.op == Op::constant) return constant(-node.value);
  if (node.op == Op::negate) return node.first;
  if (node.op == Op::subtract) return subtract(node.second, node.first);
  if (node.op == Op::multiply && is_constant(node.first))
    return multiply(constant(-(*this)[node.first].value), node.second);
  return add_node({.op = Op::negate, .first = a});
}

Id Graph::multiply(Id a, Id b) {
  if (is_constant(a) && is_constant(b)) return constant((*this)[a].value * (*this)[b].value);
  if (is_constant(b)) std::swap(a, b);  // a constant comes first
  if (is_constant(a)) {
    const double c = (*this)[a].value;
    if (c == 0) return a;
    if (c == 1) return b;
    if (c == -1) return negate(b);
    const Node other = (*this)[b];
    if (other.op == Op::negate) return multiply(constant(-c), other.first);
    if (other.op == Op::multiply && is_constant(other.first))
      return multiply(constant(c * (*this)[other.first].value), other.second);
    return add_node({.op = Op::multiply, .first = a, .second = b});
  }
  const Node x = (*this)[a], y = (*this)[b];
  if (x.op == Op::negate) return negate(multiply(x.first, b));
  if (y.op == Op::negate) return negate(multiply(a, y.first));
  // Constants to the front, where they meet others.
  if (x.op == Op::multiply && is_constant(x.first)) return multiply(x.first, multiply(x.second, b));
  if (y.op == Op::multiply && is_constant(y.first)) return multiply(y.first, multiply(a, y.second));
  // Powers of one base.
  const auto base = [&](const Node& n, Id id) { return n.op == Op::power ? n.first : id; };
  const auto exponent = [](const Node& n) { return n.op == Op::power ? n.value : 1.0; };
  if (base(x, a) == base(y, b)) {
    const Id u = base(x, a);
    const double p = exponent(x), q = exponent(y);
    const bool roots = p != std::floor(p) && q != std::floor(q) && p + q == std::floor(p + q);
    return power(roots ? function(Op::non_negative, u) : u, p + q);
  }
  if (a > b) std::swap(a, b);
  return add_node({.op = Op::multiply, .first = a, .second = b});
}

Id Graph::power(Id a, double exponent) {
  if (exponent == 0) return constant(1);
  if (exponent == 1) return a;
  const Node node = (*this)[a];
  if (node.op == Op::constant) {
    const double value = apply_power(node.value, exponent);
    if (std::isfinite(value)) return constant(value);
  }
  const bool whole = exponent == std::floor(exponent);
  if (node.op == Op::negate && whole) {
    const Id even = power(node.first, exponent);
    return std::fmod(exponent, 2) == 0 ? even : negate(even);
  }
  if (node.op == Op::power && whole) {
    const double product = node.value * exponent;
    const bool roots = node.value != std::floor(node.value) && product == std::floor(product);
    return power(roots ? function(Op::non_negative, node.first) : node.first, product);
  }
  if (node.op == Op::multiply && whole && height(a) < kMostDistributed)
    return multiply(power(node.first, exponent), power(node.second, exponent));
  if (node.op == Op::exp && whole) return function(Op::exp, multiply(constant(exponent), node.first));
  return add_node({.op = Op::power, .first = a, .value = exponent});
}

Id Graph::to_the(Id a, Id b) {
  if (is_constant(b)) return power(a, (*this)[b].value);
  return function(Op::exp, multiply(b, function(Op::log, a)));
}

Id Graph::function(Op op, Id a) {
  if (is_constant(a)) {
    const double value = apply(op, (*this)[a].value);
    if (std::isfinite(value)) return constant(value);
  }
  const Node node = (*this)[a];
  if (op == Op::non_negative) {  // what is never below 0
    const bool even = node.op == Op::power && std::fmod(node.value, 2) == 0;
    if (even || node.op == Op::exp || node.op == Op::cosh || node.op == Op::non_negative || node.op == Op::softplus)
      return a;
  }
  return add_node({.op = op, .first = a});
}

int operand_count(Op op) {
  switch (op) {
    case Op::constant:
    case Op::input:
      return 0;
    case Op::add:
    case Op::subtract:
    case Op::multiply:
      return 2;
    default:
      return 1;
  }
}

const char* function_name(Op op) {
  switch (op) {
    case Op::exp:
      return "exp";
    case Op::log:
      return "log";
    case Op::sin:
      return "sin";
    case Op::cos:
      return "cos";
    case Op::tan:
      return "tan";
    case Op::sinh:
      return "sinh";
    case Op::cosh:
      return "cosh";
    case Op::tanh:
      return "tanh";
    case Op::atan:
      return "atan";
    case Op::erf:
      return "erf";
    case Op::softplus:
      return "softplus";
    case Op::logcosh:
      return "logcosh";
    case Op::sigmoid:
      return "sigmoid";
    case Op::relu:
      return "relu";
    case Op::step:
      return "step";
    default:
      return "";
  }
}

double apply(Op op, double value) {
  const Pack<double, 1> x(value);
  switch (op) {
    case Op::negate:
      return -value;
    case Op::non_negative:
      return value >= 0 ? value : std::nan("");
    case Op::exp:
      return exp(x)[0];
    case Op::log:
      return log(x)[0];
    case Op::sin:
      return sin(x)[0];
    case Op::cos:
      return cos(x)[0];
    case Op::tan:
      return tan(x)[0];
    case Op::sinh:
      return sinh(x)[0];
    case Op::cosh:
      return cosh(x)[0];
    case Op::tanh:
      return tanh(x)[0];
    case Op::atan:
      return atan(x)[0];
    case Op::erf:
      return erf(x)[0];
    case Op::softplus:
      return softplus(x)[0];
    case Op::logcosh:
      return logcosh(x)[0];
    case Op::sigmoid:
      return sigmoid(x)[0];
    case Op::relu:
      return value > 0 ? value : value != value ? value : 0;
    case Op::step:
      return value > 0 ? 1 : 0;
    default:
      return std::nan("");
  }
}

double apply_power(double x, double exponent) {
  const double doubled = 2 * exponent;
  if (doubled != std::floor(doubled) || std::abs(doubled) > 2'000'000) return std::pow(x, exponent);
  double base = exponent == std::floor(exponent) ? x : std::sqrt(x);
  if (exponent < 0) base = 1 / base;
  double result = 1;
  const auto n = static_cast<unsigned>(std::abs(exponent == std::floor(exponent) ? exponent : doubled));
  for (unsigned left = n; left != 0; left >>= 1) {
    if (left & 1u) result *= base;
    base *= base;
  }
  return result;
}

std::vector<bool> reachable(const Graph& g, const std::vector<Id>& roots) {
  std::vector<bool> needed(static_cast<std::size_t>(g.size()));
  for (const Id root : roots) needed[static_cast<std::size_t>(root)] = true;
  for (Id id = g.size(); id-- > 0;) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const int operands = operand_count(g[id].op);
    if (operands > 0) needed[static_cast<std::size_t>(g[id].first)] = true;
    if (operands > 1) needed[static_cast<std::size_t>(g[id].second)] = true;
  }
  return needed;
}

}  // namespace sde::formula
