#include "sde/network/curvature.hpp"

#include <Spectra/SymEigsSolver.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sde/random/streams.hpp"

namespace sde::network {

namespace {

/// As Spectra asks for an operator.
struct Operator {
  using Scalar = double;
  const Product& product;
  const int d;
  Eigen::Index rows() const { return d; }
  Eigen::Index cols() const { return d; }
  void perform_op(const double* u, double* out) const { product(u, out); }
};

/// Worker of the streams of probes; time is its place in them.
constexpr std::uint32_t kWorker = 0;

}  // namespace

Trace trace(const Product& product, int d, int probes, const Draws& draws) {
  std::vector<double> z(static_cast<std::size_t>(d)), out(z.size());
  double mean = 0, squares = 0;
  for (int p = 0; p < probes; ++p) {
    const std::uint64_t first =
        (static_cast<std::uint64_t>(draws.time) * static_cast<std::uint64_t>(probes) + static_cast<std::uint64_t>(p)) *
        static_cast<std::uint64_t>(d);
    random::SignStream<double> signs({draws.seed, draws.path, kWorker}, random::Purpose::probe, first);
    for (auto& v : z) v = signs.next();
    product(z.data(), out.data());
    double value = 0;
    for (std::size_t k = 0; k < z.size(); ++k) value += z[k] * out[k];
    const double off = value - mean;
    mean += off / (p + 1);
    squares += off * (value - mean);
  }
  return {mean, std::sqrt(squares / (probes - 1) / probes)};
}

double largest_eigenvalue(const Product& product, int d) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  constexpr int kBasis = 20, kMostRestarts = 1000;
  if (d == 1) {
    const double one = 1;
    double value = 0;
    product(&one, &value);
    return value;
  }
  Operator op{product, d};
  Spectra::SymEigsSolver<Operator> solver(op, 1, std::min(d, kBasis));
  // A start that is no eigenvector of anything simple, the same for all.
  random::NormalStream<double> normals({0, 0, kWorker}, random::Purpose::probe, 0);
  Eigen::VectorXd start(d);
  for (auto& v : start) v = normals.next();
  solver.init(start.data());
  try {
    solver.compute(Spectra::SortRule::LargestAlge, kMostRestarts, kEigenvalueTolerance);
  } catch (const std::exception&) {  // of a Hessian that is no number
    return kNone;
  }
  return solver.info() == Spectra::CompInfo::Successful ? solver.eigenvalues()[0] : kNone;
}

}  // namespace sde::network
