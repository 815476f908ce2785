#include "sde/slow/tridiagonal_qr.hpp"

#include <Eigen/Eigenvalues>

namespace sde::slow {

void TridiagonalQr::solve(int n, double* A, double* Q, const Solo&) {
  using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<Square> matrix(A, n, n), vectors(Q, n, n);
  const Eigen::SelfAdjointEigenSolver<Square> solver(matrix);
  vectors = solver.eigenvectors();
  matrix.diagonal() = solver.eigenvalues();
}

}  // namespace sde::slow
