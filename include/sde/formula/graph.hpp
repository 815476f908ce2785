// Expressions as a graph in which equal subexpressions are one node, so that whatever is computed from it is computed
// once. A node's operands come before it: passes over a graph are loops, however deep an expression is.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace sde::formula {

/// A node of a graph.
using Id = int;

enum class Op : std::uint8_t {
  constant,  ///< value
  input,     ///< of a kind, with an index
  add,
  subtract,
  multiply,
  negate,
  power,         ///< first ^ value, a constant; division is multiplication with the power -1
  non_negative,  ///< first, not a number where it is below 0: what is left of sqrt(u)^2
  exp,
  log,
  sin,
  cos,
  tan,
  sinh,
  cosh,
  tanh,
  atan,
  erf,
  softplus,  ///< log(1 + exp(u))
  logcosh,   ///< log(cosh(u))
  sigmoid,   ///< 1/(1 + exp(-u)), the derivative of softplus
  relu,      ///< max(u, 0)
  step       ///< 1 where u > 0, else 0: the derivative of relu
};
inline constexpr Op kFirstFunction = Op::exp;

/// Where an input's value comes from.
enum class Source : std::uint8_t {
  variable,   ///< a coordinate of theta
  parameter,  ///< a number that is fixed for a run
  column,     ///< a number of the row of data at hand
  weight,     ///< of a residual: of J^T w, of sum_i w_i Hess(f_i)
  direction   ///< a coordinate of a vector beside theta
};

/// An operation on earlier nodes, a constant or an input.
struct Node {
  Op op;
  Source source{};
  Id first = -1, second = -1;  ///< operands; first is the index of an input
  double value = 0;            ///< of a constant; exponent of a power

  bool operator==(const Node&) const = default;
};

/// Nodes are made by the functions below, which fold constants and the simplest identities, and no others: a sum or a
/// product is computed in the order in which it was written. Throws InputError when a graph becomes too large.
class Graph {
 public:
  static constexpr int kMostNodes = 2'000'000;

  Id constant(double value);
  Id input(Source source, int index);
  Id add(Id a, Id b);
  Id subtract(Id a, Id b);
  Id multiply(Id a, Id b);
  Id divide(Id a, Id b) { return multiply(a, power(b, -1)); }
  Id negate(Id a);
  /// a ^ exponent; where the exponents of a power of a power multiply, it is one power.
  Id power(Id a, double exponent);
  Id power(Id a, int exponent) { return power(a, static_cast<double>(exponent)); }
  /// a ^ b of two expressions: exp(b log a).
  Id to_the(Id a, Id b);
  Id function(Op op, Id a);

  const Node& operator[](Id id) const { return nodes_[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  bool is_constant(Id id) const { return (*this)[id].op == Op::constant; }
  bool is_constant(Id id, double value) const { return is_constant(id) && (*this)[id].value == value; }

 private:
  struct Hash {
    std::size_t operator()(const Node&) const;
  };
  Id add_node(const Node&);
  int height(Id id) const { return heights_[static_cast<std::size_t>(id)]; }
  std::vector<Node> nodes_;
  std::vector<int> heights_;  ///< longest way down to an input or a constant
  std::unordered_map<Node, Id, Hash> ids_;
};

/// Whether the operands of an operation are nodes: how many.
int operand_count(Op op);
/// "exp", "softplus", ...
const char* function_name(Op op);
/// f(x) in double, of a function, non_negative or negate.
double apply(Op op, double x);
/// x ^ exponent with the roundings of a program (program.hpp).
double apply_power(double x, double exponent);

/// [id] whether a node is needed for `roots`.
std::vector<bool> reachable(const Graph&, const std::vector<Id>& roots);

/// The expression, as it can be read back. An expression of more than `most` characters ends in "...".
std::string print(const Graph&, Id, const std::vector<std::string>& variables,
                  const std::vector<std::string>& parameters = {}, const std::vector<std::string>& columns = {},
                  std::size_t most = 10'000);

}  // namespace sde::formula
