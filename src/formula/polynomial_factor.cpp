#include "polynomial_factor.hpp"

#include <algorithm>
#include <cmath>

namespace sde::formula {

namespace {

constexpr int kNoPolynomial = 1000;

std::size_t at(Id id) { return static_cast<std::size_t>(id); }

/// Degrees of all nodes in the inputs, kNoPolynomial where a node is none.
std::vector<int> degrees(const Graph& g, Id root, const std::vector<Id>& inputs) {
  std::vector<int> degree(at(root) + 1, 0);
  for (const Id input : inputs)
    if (input <= root) degree[at(input)] = 1;
  for (Id id = 0; id <= root; ++id) {
    const Node& n = g[id];
    int d = degree[at(id)];
    if (n.op == Op::add || n.op == Op::subtract)
      d = std::max(degree[at(n.first)], degree[at(n.second)]);
    else if (n.op == Op::multiply)
      d = degree[at(n.first)] + degree[at(n.second)];
    else if (n.op == Op::negate)
      d = degree[at(n.first)];
    else if (operand_count(n.op) == 1 && degree[at(n.first)] > 0)
      d = n.op == Op::power && n.value > 0 && n.value < 10 && n.value == std::floor(n.value)
              ? degree[at(n.first)] * static_cast<int>(n.value)
              : kNoPolynomial;
    degree[at(id)] = std::min(d, kNoPolynomial);
  }
  return degree;
}

bool never_zero(const Node& n) {
  return n.op == Op::exp || n.op == Op::cosh || n.op == Op::sigmoid || n.op == Op::softplus ||
         n.op == Op::non_negative || (n.op == Op::power && n.value < 0);
}

}  // namespace

std::optional<Id> quadratic_factor(const Graph& g, Id root, const std::vector<Id>& inputs) {
  const auto degree = degrees(g, root, inputs);
  std::vector<Id> factors{root};
  std::optional<Id> found;
  while (!factors.empty()) {
    const Id id = factors.back();
    factors.pop_back();
    const Node& n = g[id];
    if (degree[at(id)] == 0 || never_zero(n)) continue;
    if (n.op == Op::multiply) {
      factors.push_back(n.first);
      factors.push_back(n.second);
    } else if (n.op == Op::negate) {
      factors.push_back(n.first);
    } else if (n.op == Op::power && n.value == 0.5) {
      continue;  // the domain ends where it vanishes
    } else if (found || degree[at(id)] > 2) {
      return std::nullopt;
    } else {
      found = id;
    }
  }
  return found;
}

}  // namespace sde::formula
