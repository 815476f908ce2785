#include "sde/manifold/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "sde/loss/data.hpp"

namespace sde::manifold {

namespace {

/// Eigenvalues within this factor of the threshold of zero, on either side, are ones that might as well be on the
/// other.
constexpr double kNear = 1e3;
/// Where the square root of the smallest eigenvalue, a singular value of the Jacobian, changes by a factor of 2 from
/// one side to the other, its tangent meets zero within three times the reach.
constexpr double kSteep = 4;

/// Points to each side.
int directions(const LossModel& model, bool interpolating) {
  const double n = model.residual_count(), d = model.dim(), m = interpolating ? std::min(n, d) : d;
  const double work = 10 * m * m * m + (interpolating ? n * d * m : 0);
  return work > 5e8 ? 0 : static_cast<int>(std::clamp(2e7 / work, 1.0, 8.0));
}

/// Eigenvalues at the point of Gamma that Newton's method finds from x[d]; none where it finds none.
std::optional<Vector> on_gamma(const LossModel& model, Vector x, bool interpolating) {
  double previous = std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < 12 && x.allFinite(); ++iteration) {
    const Spectrum s(model, x.data(), interpolating);
    if (!s.eigenvalues().allFinite()) break;
    const Vector step = s.newton_step();
    const double length = step.norm();
    if (length <= 1e-11 * (1 + x.norm())) return s.eigenvalues();
    if (iteration > 3 && length > 0.5 * previous) break;  // a degenerate minimum takes it that slowly
    previous = length;
    x += step;
  }
  return std::nullopt;
}

/// Ranks and smallest eigenvalues of all spectra on the scale of the largest eigenvalue of all.
void compare(const std::vector<Vector>& spectra, Findings& f) {
  double largest = 0;
  for (const auto& s : spectra) largest = std::max(largest, s.cwiseAbs().maxCoeff());
  const double threshold = slow::kNullThreshold * largest;
  bool first = true;
  for (const auto& s : spectra) {
    int rank = 0;
    double smallest = 0;
    for (const double l : s) {
      rank += std::abs(l) > threshold;
      if (l > threshold && smallest == 0) smallest = l;  // ascending
    }
    f.least_rank = first ? rank : std::min(f.least_rank, rank);
    f.most_rank = first ? rank : std::max(f.most_rank, rank);
    f.least_smallest = first ? smallest : std::min(f.least_smallest, smallest);
    f.most_smallest = first ? smallest : std::max(f.most_smallest, smallest);
    first = false;
  }
}

Findings of_spectrum(const LossModel& model, const double* x, bool interpolating, const Spectrum& s) {
  Findings f;
  f.dim = model.dim();
  f.residuals = model.residual_count();
  f.interpolating = interpolating;
  if (f.residuals > 0) {
    Vector r(f.residuals);
    model.residuals(x, r.data());
    f.largest_residual = r.cwiseAbs().maxCoeff();
  }
  f.scale = s.largest();
  if (s.eigenvalues().size() > 0) f.largest = s.eigenvalues().maxCoeff();
  for (const double l : s.eigenvalues()) {
    if (std::abs(l) <= s.threshold()) {
      f.greatest_zero = std::max(f.greatest_zero, std::abs(l));
      continue;
    }
    ++f.rank;
    f.negative += l < 0;
    if (l > 0 && f.smallest == 0) f.smallest = l;  // ascending
  }
  if (f.negative > 0) f.least = s.eigenvalues()[0];
  compare({s.eigenvalues()}, f);
  return f;
}

std::string times(double x) { return fmt::format("{:.2g}", x); }

void warn_of_indefinite(const Findings& f, std::vector<std::string>& to) {
  if (f.negative == 0) return;
  to.push_back(fmt::format(
      "the Hessian is indefinite: {} of its eigenvalues {} negative (down to {:.4g}). The gradient flow ends at a "
      "saddle, and noise drives paths away from it within some 1/(eta {:.2g}) steps; the slow SDEs take its descending "
      "directions for tangent ones. Start elsewhere: beside this start the flow goes on to a minimum",
      f.negative, f.negative == 1 ? "is" : "are", f.least, -f.least));
}

void warn_of_rank(const Findings& f, std::vector<std::string>& to) {
  if (f.sought > 0 && f.neighbours == 0)
    to.push_back(
        fmt::format("no other point of Gamma is found {:.2g} beside it, though the Hessian's null space has dimension "
                    "{}: the minimum "
                    "is degenerate, flat to second order along directions in which it is not to higher ones. The slow "
                    "SDEs ask for a "
                    "manifold of minima. Leave out parameters that the minimum does not need, or start elsewhere",
                    f.reach, f.dim_gamma()));
  const auto around = fmt::format("this point and {} of Gamma {:.2g} beside it", f.neighbours, f.reach);
  if (f.least_rank != f.most_rank)
    to.push_back(fmt::format(
        "the Hessian's rank changes: it is {} to {} at {}. Where it does, Gamma is no manifold, drifts, which go by "
        "1/eigenvalue, have no limit, and no slow SDE holds across. Start where the rank is the same all around",
        f.least_rank, f.most_rank, around));
  else if (f.most_smallest > kSteep * f.least_smallest)
    to.push_back(fmt::format(
        "the Hessian's rank changes close by: its smallest nonzero eigenvalue goes from {:.2g} to {:.2g} over {}. No "
        "slow SDE holds where it vanishes, and drifts change fast on the way there. Start farther from it",
        f.least_smallest, f.most_smallest, around));
}

void warn_of_threshold(const Findings& f, std::vector<std::string>& to) {
  const double zero = slow::kNullThreshold, smallest = f.smallest / f.scale, none = f.greatest_zero / f.scale;
  if (f.smallest > 0 && smallest < kNear * zero)
    to.push_back(fmt::format(
        "the smallest nonzero eigenvalue is {} of the largest, close to the {:g} below which one counts as zero. Paths "
        "come to Gamma along it in some 1/(eta {}) steps only, and the slow SDEs hold for runs much longer than that. "
        "Scale the parameters so that the eigenvalues are closer to each other",
        times(smallest), zero, times(f.smallest)));
  if (none > kRoundingOfZero)
    to.push_back(fmt::format(
        "an eigenvalue that is {} of the largest counts as zero (below {:g}), but is not that of rounding. Gamma is "
        "taken to be flat along it, though the loss pulls paths back in some 1/(eta {}) steps. Scale the parameters so "
        "that it is above the threshold, or make the loss constant along it",
        times(none), zero, times(f.greatest_zero)));
}

}  // namespace

Findings findings(const LossModel& model, const double* x, bool interpolating) {
  return of_spectrum(model, x, interpolating, Spectrum(model, x, interpolating));
}

Findings findings_around(const LossModel& model, const double* x, bool interpolating) {
  const Spectrum here(model, x, interpolating);
  Findings f = of_spectrum(model, x, interpolating, here);
  const int count = f.dim_gamma() > 0 && f.negative == 0 ? directions(model, interpolating) : 0;
  const Eigen::Map<const Vector> p(x, f.dim);
  std::vector<Vector> spectra{here.eigenvalues()};
  f.reach = kReach * (1 + p.norm());
  for (int i = 0; i < count; ++i) {
    const auto any = loss::normal_data(1, 200 + static_cast<std::uint32_t>(i), f.dim);
    const Vector t = here.tangent(Eigen::Map<const Vector>(any.data(), f.dim)).normalized();
    for (const double side : {-f.reach, f.reach}) {
      ++f.sought;
      const auto there = on_gamma(model, p + side * t, interpolating);
      if (!there) continue;
      ++f.neighbours;
      spectra.push_back(*there);
    }
  }
  compare(spectra, f);
  return f;
}

std::string describe(const Findings& f) {
  std::string eigenvalues;
  const auto from = fmt::format("{:.4g}", f.negative > 0 ? f.least : f.smallest), to = fmt::format("{:.4g}", f.largest);
  if (f.rank > 0)
    eigenvalues = from != to ? fmt::format(", eigenvalues {} to {}", from, to)
                             : fmt::format(", eigenvalue{} {}", f.rank > 1 ? "s" : "", to);
  const char* dense = ": terms through the dense Hessian";
  return fmt::format("dimension {} of {}, Hessian of rank {}{}; {}", f.dim_gamma(), f.dim, f.rank, eigenvalues,
                     f.residuals == 0  ? std::string("no squared loss") + dense
                     : f.interpolating ? "residuals vanish"
                                       : fmt::format("residuals up to {:.3g} stay{}", f.largest_residual, dense));
}

std::vector<std::string> warnings(const Findings& f) {
  std::vector<std::string> all;
  if (f.dim_gamma() == 0 && f.negative == 0)
    all.push_back(
        "the minimum is isolated: the Hessian has full rank, and Gamma is one point. Nothing moves slowly, and drifts "
        "and diffusion along Gamma are 0. The theory asks for more parameters than the data determine");
  warn_of_indefinite(f, all);
  warn_of_rank(f, all);
  warn_of_threshold(f, all);
  return all;
}

}  // namespace sde::manifold
