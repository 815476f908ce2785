#include "sde/slow/tabulated_weights.hpp"

#include <fmt/format.h>

#include <cmath>

#include "delay.hpp"
#include "sde/core/error.hpp"
#include "sde/slow/kept_by_matrices.hpp"

namespace sde::slow {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kLargest = 1e3;  // x beyond which stability is not looked for
constexpr double kSmallest = 1e-7;

/// The first x at which fluctuations grow, to a part in 1e6: by steps of 1/16, then by halving.
double first_unstable(const FluctuationWeights& w) {
  double below = kSmallest;
  if (!(w.spectral_radius(below) < 1)) return 0;
  for (double x = below; x < kLargest; x *= 1 + 1.0 / 16) {
    if (w.spectral_radius(x) < 1) {
      below = x;
      continue;
    }
    double above = x;
    while (above - below > 1e-6 * above) {
      const double middle = 0.5 * (below + above);
      (w.spectral_radius(middle) < 1 ? below : above) = middle;
    }
    return below;
  }
  return std::numeric_limits<double>::infinity();
}

double node(int k, int count) { return std::cos(kPi * (k + 0.5) / count); }

/// Coefficients of the Chebyshev sum through f at the nodes.
std::vector<double> chebyshev(const std::vector<double>& f) {
  const auto n = static_cast<int>(f.size());
  std::vector<double> c(f.size());
  for (int m = 0; m < n; ++m) {
    double sum = 0;
    for (int k = 0; k < n; ++k) sum += f[static_cast<std::size_t>(k)] * std::cos(kPi * m * (k + 0.5) / n);
    c[static_cast<std::size_t>(m)] = (m == 0 ? 1.0 : 2.0) / n * sum;
  }
  return c;
}

/// Terms after which nothing above `tolerance` follows.
int terms_needed(const std::vector<double>& c, double tolerance) {
  auto n = static_cast<int>(c.size());
  double tail = 0;
  while (n > 2 && tail + std::abs(c[static_cast<std::size_t>(n - 1)]) <= tolerance)
    tail += std::abs(c[static_cast<std::size_t>(--n)]);
  return n;
}

}  // namespace

double TabulatedWeights::ratio(double x, double y) const {
  return 2 / exact_.diffusion() * (x + y) * exact_.weight(x, y);
}

double TabulatedWeights::Q(double x, double y, double mixed_x, double mixed_y) const {
  const double G = (x + y) / ratio(x, y);
  return (G - x / mixed_x - y / mixed_y) * (x + table_.scale) * (y + table_.scale) / (x * y);
}
double TabulatedWeights::Q(double x, double y) const { return Q(x, y, ratio(x, 0), ratio(y, 0)); }

double TabulatedWeights::x_of(double t) const { return std::expm1((t + 1) / table_.slope) / table_.inverse_scale; }

void TabulatedWeights::set_scale(double scale) {
  table_.scale = scale;
  table_.inverse_scale = 1 / scale;
  table_.slope = 2 / std::log1p(table_.most / scale);
}

/// The terms that the curves take with this scale, and Q along some lines.
int TabulatedWeights::terms_along_lines() const {
  constexpr int n = WeightTable::kMost;
  int needed = 2;
  const auto along = [&](double tolerance, auto value) {
    std::vector<double> f;
    double largest = 0;
    for (int k = 0; k < n; ++k) {
      f.push_back(value(x_of(node(k, n))));
      largest = std::max(largest, std::abs(f.back()));
    }
    needed = std::max(needed, terms_needed(chebyshev(f), tolerance * largest));
  };
  along(0.2 * kError, [&](double x) { return ratio(x, 0); });
  along(0.2 * kError, [&](double x) { return ratio(x, x); });
  // Q is a difference, of fewer digits where x and y are small, and counts less there.
  along(10 * kError, [&](double x) { return Q(x, x); });
  for (const double t : {-0.6, 0.0, 0.9}) along(10 * kError, [&, y = x_of(t)](double x) { return Q(x, y); });
  return needed;
}

/// Of scales a factor 2 apart the one with the fewest terms; false where none has less than all.
bool TabulatedWeights::choose_scale() {
  int fewest = WeightTable::kMost + 1;
  double best = table_.most;
  for (double scale = table_.most; scale > 1e-5 * table_.most; scale *= 0.5) {
    set_scale(scale);
    const int needed = terms_along_lines();
    if (needed < fewest) fewest = needed, best = scale;
    if (needed > fewest + 8) break;  // ever finer scales have ever more terms
  }
  set_scale(best);
  return fewest < WeightTable::kMost;
}

void TabulatedWeights::tabulate(int n) {
  table_.terms = n;
  const auto N = static_cast<std::size_t>(n);
  std::vector<double> x(N), mixed(N), own(N), all(N * N);
  for (std::size_t k = 0; k < N; ++k) x[k] = x_of(node(static_cast<int>(k), n));
  for (std::size_t i = 0; i < N; ++i) {
    mixed[i] = ratio(x[i], 0);
    own[i] = ratio(x[i], x[i]);
    for (std::size_t j = 0; j <= i; ++j) all[i * N + j] = all[j * N + i] = Q(x[i], x[j], mixed[i], mixed[j]);
  }
  coefficients_ = chebyshev(mixed);
  const auto diagonal = chebyshev(own);
  coefficients_.insert(coefficients_.end(), diagonal.begin(), diagonal.end());
  for (const bool across : {false, true}) {  // rows, then columns
    for (std::size_t i = 0; i < N; ++i) {
      std::vector<double> line(N);
      for (std::size_t j = 0; j < N; ++j) line[j] = all[across ? j * N + i : i * N + j];
      line = chebyshev(line);
      for (std::size_t j = 0; j < N; ++j) all[across ? j * N + i : i * N + j] = line[j];
    }
  }
  coefficients_.insert(coefficients_.end(), all.begin(), all.end());
  table_.coefficients = coefficients_.data();
}

double TabulatedWeights::worst_between_nodes() const {
  constexpr int kPoints = 17;
  Parameters at_unit_rate;
  at_unit_rate.weights = table_;
  at_unit_rate.rate = 1;
  const Prepared p(at_unit_rate);
  double worst = 0;
  const auto compare = [&](double found, double x, double y) {
    const double expected = ratio(x, y);
    worst = std::max(worst, std::abs(found + 1 - expected) / std::abs(expected));
  };
  for (int i = 1; i <= kPoints; ++i) {
    const double x = x_of(2.0 * i / kPoints - 1) * (1 - 1e-15);
    const auto mode_x = mode(p, x);
    const TableRow<double> row(p, mode_x, true);
    compare(row.own, x, x);
    compare(row.mixed, x, 0);
    for (int j = 0; j < kPoints; ++j) {
      const double y = x_of(2 * (j + 0.37) / kPoints - 1);
      compare(row.with(p, mode_x, mode(p, y)), x, y);
    }
  }
  return worst;
}

TabulatedWeights::TabulatedWeights(FluctuationWeights of_unit_rate) : exact_(std::move(of_unit_rate)) {
  stable_below_ = first_unstable(exact_);
  if (!(stable_below_ > 0)) throw InputError("linear algorithm: its fluctuation across Gamma grows at every rate");
  // Between eigenvalues that momentum makes oscillate through a round no polynomial is short: then a smaller range.
  for (table_.most = 0.5 * std::min(stable_below_, kLargest);; table_.most *= 0.5) {
    if (table_.most < 1e-4 * stable_below_)
      throw InputError(fmt::format(
          "linear algorithm: its weights are not smooth enough for a table (error {:.2g}, expected at most {:.0e}): "
          "shorter rounds, or less momentum",
          error_, kError));
    if (!choose_scale()) continue;
    for (int n = 12; n <= WeightTable::kMost; n += 6) {
      tabulate(n);
      error_ = worst_between_nodes();
      if (error_ <= kError) return;
    }
  }
}

Parameters TabulatedWeights::parameters(double eta, double b, int workers, double alpha) const {
  Parameters p;
  const double c = exact_.effective_rate();
  p.batch = b * c * c / exact_.diffusion();
  p.workers = workers;
  p.alpha = alpha;
  p.weights = table_;
  p.rate = eta;
  return p;
}

namespace {

KeptByMatrices<TabulatedWeights>& kept() {
  static KeptByMatrices<TabulatedWeights> all;
  return all;
}

}  // namespace

const TabulatedWeights& tabulated(const ExchangeableAlgorithm& given) {
  auto e = given;
  e.eta = e.batch = 1;
  MatrixKey key;
  key.add(e.workers).add(static_cast<double>(e.steps)).add(e.A).add(Eigen::MatrixXd(e.C)).add(Eigen::MatrixXd(e.R));
  key.add(e.synchronize).add(e.synchronize_apart).add(Eigen::MatrixXd(e.consensus));
  return kept().get(key, [&] { return std::make_unique<TabulatedWeights>(FluctuationWeights(e)); });
}

const TabulatedWeights& tabulated(const LinearAlgorithm& given) {
  auto a = given;
  a.eta = a.batch = 1;
  MatrixKey key;
  if (const auto delay = delay_of(a))  // of a thousand steps the matrices take megabytes
    key.add(static_cast<double>(*delay));
  else
    key.add(a.local_steps).add(a);
  return kept().get(key, [&] { return std::make_unique<TabulatedWeights>(FluctuationWeights(a)); });
}

}  // namespace sde::slow
