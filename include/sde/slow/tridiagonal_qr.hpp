// Eigenpairs of one matrix on plain doubles, several times as fast as rotations without branches.
#pragma once

#include "sde/core/buffer.hpp"

namespace sde::slow {

/// In the place of CyclicJacobi (core/jacobi.hpp), by Eigen. In the library, which is compiled for the plain processor:
/// Eigen fuses multiply-adds where it is compiled for one that has them, and the bits would depend on the machine.
struct TridiagonalQr {
  static void solve(int n, double* A, double* Q, const Solo&);
};

}  // namespace sde::slow
