// Decentralized SGD (theory.md section 9): after every step a worker takes a weighted mean of its own and its
// neighbours' iterates, x <- W x - eta g with a doubly stochastic W.
#pragma once

#include "sde/discrete/linear_type.hpp"

namespace sde::discrete {

/// Gossip. Algorithm::parameters: the graph's number, how many times W is applied between gradients, and W where it is
/// given, row by row.
class Gossip final : public LinearType {
 public:
  static constexpr const char* kName = "gossip";
  const char* name() const override { return kName; }
  const char* description() const override { return "decentralized SGD: x <- W x - eta g on a graph of workers"; }
  std::string label(const Algorithm&) const override;
  void read(Keys&, Algorithm&, bool limit) const override;
  void check(const Algorithm&) const override;
  slow::LinearAlgorithm matrices(const Algorithm&) const override;
};
/// What Algorithm::type points to.
inline const Gossip gossip;

}  // namespace sde::discrete
