// Every built-in loss with a name, and points near its Gamma.
#pragma once

#include <functional>

#include "../src/experiment/losses.hpp"
#include "sde/loss/models.hpp"
#include "sde/loss/toy.hpp"

namespace sde::test {

/// Calls use(name, loss, start[d]) for every built-in loss.
template <class Use>
void for_each_loss(Use use) {
  using V = std::vector<double>;
  use("valley, quadratic", loss::Valley{}, V{0.6, 0.1});
  use("valley, exponential", loss::Valley{loss::Valley::Profile::exponential, 0.7}, V{0.6, 0.1});
  use("hyperbola", loss::Hyperbola{}, V{1.5, 0.7});
  use("chain, D = 2", loss::Chain{2}, V{1.4, 0.8});
  use("chain, D = 4", loss::Chain{4}, V{1.4, 0.8, -1.1, -0.9});
  use("sphere, d = 2", loss::Sphere{2}, V{0.8, 0.7});
  use("sphere, d = 5", loss::Sphere{5}, V{0.5, 0.5, -0.5, 0.3, 0.3});
  use("ring", loss::Ring{0.5}, V{0.5, 0.9});
  use("flat", loss::Flat(2, 4, 3), V{0.3, -0.2, 0.1, 0.5});
  use("diagonal network", loss::DiagonalNetwork(3, 4, 1, 5), V{1.0, 0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7});
  use("tanh network", loss::TanhNetwork(3, 2, 3, 1, 5), V{0.9, -0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7, -0.4});
  use("matrix sensing", loss::MatrixSensing(3, 3, 2, 1, 5), V{0.9, 0.5, 0.4, -0.6, 0.8, 0.5});
}

}  // namespace sde::test
