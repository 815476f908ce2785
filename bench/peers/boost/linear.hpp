// The linear SDE by Boost.Odeint's pattern for stochastic systems (a deterministic and a stochastic part, its example
// stochastic_euler.hpp).
#pragma once

#include <array>
#include <cmath>

#include "sample.hpp"

using State = std::array<double, 3>;

struct Linear {
  void deterministic(const State& x, State& dxdt) const {
    for (int i = 0; i < 3; ++i) dxdt[i] = 1.5 * x[i];
  }
  void stochastic(Normals& normal, const State& x, State& out) const {
    for (int i = 0; i < 3; ++i) out[i] = 0.01 * x[i] * normal();
  }
};

/// Odeint's example stepper: x += dt f(x) + sqrt(dt) g(x).
template <class System>
void stochastic_euler(const System& system, Normals& normal, State& x, double dt) {
  State f, g;
  system.deterministic(x, f);
  system.stochastic(normal, x, g);
  for (int i = 0; i < 3; ++i) x[i] += dt * f[i] + std::sqrt(dt) * g[i];
}

inline Sum linear(const Share& share) {
  Normals normal(share.seed);
  Sum sum;
  for (long p = 0; p < share.count; ++p) {
    State x{1, 1, 1};
    for (int s = 0; s < 256; ++s) stochastic_euler(Linear{}, normal, x, 1.0 / 256);
    sum.add(x[0]);
  }
  return sum;
}
