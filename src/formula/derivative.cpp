#include "sde/formula/derivative.hpp"

#include <cmath>
#include <numbers>

namespace sde::formula {

namespace {

std::size_t at(Id id) { return static_cast<std::size_t>(id); }

/// f'(u) of a node f(u) with one operand.
Id slope(Graph& g, Id id) {
  const Node node = g[id];
  const Id u = node.first, one = g.constant(1);
  switch (node.op) {
    case Op::negate:
      return g.constant(-1);
    case Op::non_negative:
      return one;
    case Op::power:
      return g.multiply(g.constant(node.value), g.power(u, node.value - 1));
    case Op::exp:
      return id;
    case Op::log:
      return g.power(u, -1);
    case Op::sin:
      return g.function(Op::cos, u);
    case Op::cos:
      return g.negate(g.function(Op::sin, u));
    case Op::tan:
      return g.add(g.power(id, 2), one);
    case Op::sinh:
      return g.function(Op::cosh, u);
    case Op::cosh:
      return g.function(Op::sinh, u);
    case Op::tanh:
      return g.subtract(one, g.power(id, 2));
    case Op::atan:
      return g.power(g.add(g.power(u, 2), one), -1);
    case Op::erf:
      return g.multiply(g.constant(2 * std::numbers::inv_sqrtpi), g.function(Op::exp, g.negate(g.power(u, 2))));
    case Op::softplus:
      return g.function(Op::sigmoid, u);
    case Op::logcosh:
      return g.function(Op::tanh, u);
    case Op::sigmoid:
      return g.multiply(id, g.function(Op::sigmoid, g.negate(u)));  // 1 - id cancels
    case Op::relu:
      return g.function(Op::step, u);
    default:
      return g.constant(0);  // constants, inputs and the step
  }
}

}  // namespace

std::vector<Id> gradient(Graph& g, Id root, const std::vector<Id>& inputs) {
  const auto needed = reachable(g, {root});
  const Id zero = g.constant(0);
  std::vector<Id> adjoint(needed.size(), zero);
  adjoint[at(root)] = g.constant(1);
  for (Id id = static_cast<Id>(needed.size()); id-- > 0;) {
    if (!needed[at(id)] || adjoint[at(id)] == zero) continue;
    const Node node = g[id];
    const Id a = adjoint[at(id)];
    const auto give = [&](Id to, Id what) { adjoint[at(to)] = g.add(adjoint[at(to)], what); };
    switch (node.op) {
      case Op::constant:
      case Op::input:
        break;
      case Op::add:
        give(node.first, a);
        give(node.second, a);
        break;
      case Op::subtract:
        give(node.first, a);
        adjoint[at(node.second)] = g.subtract(adjoint[at(node.second)], a);
        break;
      case Op::multiply:
        give(node.first, g.multiply(a, node.second));
        give(node.second, g.multiply(a, node.first));
        break;
      default:
        give(node.first, g.multiply(a, slope(g, id)));
    }
  }
  std::vector<Id> out;
  for (const Id input : inputs) out.push_back(at(input) < adjoint.size() ? adjoint[at(input)] : zero);
  return out;
}

std::vector<Id> along(Graph& g, const std::vector<Id>& roots, const std::vector<Id>& inputs,
                      const std::vector<Id>& directions) {
  const auto needed = reachable(g, roots);
  const Id zero = g.constant(0);
  std::vector<Id> tangent(needed.size(), zero);
  for (std::size_t k = 0; k < inputs.size(); ++k)
    if (at(inputs[k]) < tangent.size()) tangent[at(inputs[k])] = directions[k];
  for (Id id = 0; id < static_cast<Id>(needed.size()); ++id) {
    const Node node = g[id];
    const int operands = operand_count(node.op);
    if (!needed[at(id)] || operands == 0) continue;
    const Id du = tangent[at(node.first)], dv = operands > 1 ? tangent[at(node.second)] : zero;
    if (node.op == Op::add)
      tangent[at(id)] = g.add(du, dv);
    else if (node.op == Op::subtract)
      tangent[at(id)] = g.subtract(du, dv);
    else if (node.op == Op::multiply)
      tangent[at(id)] = g.add(g.multiply(du, node.second), g.multiply(node.first, dv));
    else if (du != zero)
      tangent[at(id)] = g.multiply(du, slope(g, id));
  }
  std::vector<Id> out;
  for (const Id root : roots) out.push_back(tangent[at(root)]);
  return out;
}

}  // namespace sde::formula
