// What make_model.hpp compiles for a loss's slow SDE: the step loop over packs of paths, and the terms at a point.
#pragma once

#include <algorithm>
#include <vector>

#include "sde/model/model.hpp"
#include "sde/slow/geometry_of.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {  // what it compiles depends on the register width

namespace model_detail {

/// The pack of S in which a loss is advanced: half as wide where its arrays, d entries and more, must stay in cache.
template <Loss L, class S>
using PackFor = Pack<S, dim_of<L> == kDynamic ? kKernelLanes<S> / 2 : kKernelLanes<S>>;

/// T's lanes from number `first` on, of a state of kLanes paths, and back.
template <class T>
void load_state(const double* from, int first, int d, T* x) {
  for (int k = 0; k < d; ++k)
    for (int l = 0; l < lanes_of<T>; ++l) x[k].set(l, static_cast<scalar_of<T>>(from[k * kLanes + first + l]));
}
template <class T>
void store_state(const T* x, int first, int d, LaneState to) {
  for (int k = 0; k < d; ++k)
    for (int l = 0; l < lanes_of<T>; ++l) to[k * kLanes + first + l] = x[k][l];
}

/// The geometry of a slow SDE whose paths are their positions: what a kernel has beside its packs.
template <Loss L, class T>
struct PositionFrame {
  slow::GeometryOf<L, T> geometry;

  PositionFrame(const L& loss, const NoiseView<scalar_of<T>>& noise) : geometry(loss, noise) {}
  /// Before a pack of paths moves by steps of length dt, and after: what a path has beside its position; x is scratch.
  void begin(LaneState, int, double, T*) {}
  void end(LaneState, int, T*) {}
};

/// The step loop over packs. `Frame` is made from the loss, its noise and `settings`.
template <Loss L, class S, class Frame>
class SlowKernelIn final : public SlowKernel {
  using T = PackFor<L, S>;

 public:
  template <class... Settings>
  SlowKernelIn(const L& loss, const Noise& noise, const Settings&... settings)
      : noise_(noise), frame_(loss, noise_.view(), settings...), x_(loss.dim()), move_(loss.dim()) {}
  unsigned advance(LaneState x, const random::StreamKey& key, const slow::Steps& steps) override {
    return in_packs(x, steps.dt, [&](int first, auto& lost) {
      auto mine = key;
      mine.path += static_cast<std::uint32_t>(first);
      slow::advance(frame_.geometry, x_.data(), move_.data(), mine, steps, lost);
    });
  }
  Innovations innovations() const override { return innovations_on_gamma(noise_); }
  unsigned step(LaneState x, const slow::Parameters& p, double dt, const double* xi, double* martingale) override {
    return in_packs(x, dt, [&](int first, auto& lost) {
      const auto column = [&](int s) {
        T value;
        load_state(xi + s * kLanes, first, 1, &value);
        return value;
      };
      slow::given_step(frame_.geometry, x_.data(), move_.data(), p, dt, column, lost);
      slow::martingale(frame_.geometry, p, dt, column, move_.data());
      store_state(move_.data(), first, frame_.geometry.d, martingale);
    });
  }

 private:
  template <class Move>
  unsigned in_packs(LaneState x, double dt, Move move) {
    const int d = frame_.geometry.d;
    unsigned bits = 0;
    for (int first = 0; first < kLanes; first += lanes_of<T>) {
      frame_.begin(x, first, dt, x_.data());
      load_state(x, first, d, x_.data());
      auto lost = T(1.0) < T(0.0);
      move(first, lost);
      store_state(x_.data(), first, d, x);
      frame_.end(x, first, x_.data());
      for (int l = 0; l < lanes_of<T>; ++l) bits |= static_cast<unsigned>(lost[l]) << (first + l);
    }
    return bits;
  }
  const NoiseOf<S> noise_;
  Frame frame_;
  Buffer<T, dim_of<L>> x_, move_;
};
template <Loss L, class S>
using SlowKernelOf = SlowKernelIn<L, S, PositionFrame<L, PackFor<L, S>>>;

template <SquaredLoss L>
class ResidualTerms final : public slow::PointTerms {
  using Vector = slow::Vector;
  using Matrix = slow::Matrix;
  using Rows = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

 public:
  ResidualTerms(const L& loss, const Noise& noise)
      : loss_(loss),
        noise_(noise),
        d_(loss.dim()),
        n_(loss.residual_count()),
        g_(loss, noise_.view()),
        x_(loss.dim()) {}
  void compute(const double* x) override {
    std::copy(x, x + d_, x_.data());
    g_.compute(x_.data());
  }
  Vector normal_eigenvalues() const override {
    std::vector<double> kept;
    for (int a = 0; a < n_; ++a)
      if (g_.eigenvalue(a) > 0) kept.push_back(g_.eigenvalue(a));
    std::sort(kept.begin(), kept.end());
    return Eigen::Map<Vector>(kept.data(), static_cast<Eigen::Index>(kept.size()));
  }
  Vector contraction(slow::Term term, const slow::Parameters& p) override {
    Vector out(d_);
    g_.contract(term, p, out.data());
    return out;
  }
  Vector ito_normal(double batch) override {
    Vector out(d_);
    g_.ito_normal(batch, out.data());
    return out;
  }
  Matrix tangent_noise() const override {
    return Eigen::Map<const Matrix>(g_.tangent_noise(), d_, g_.noise_dimension());
  }
  Matrix matrix(slow::Term term, const slow::Parameters& p) const override {
    const Rows V(g_.normals(), n_, d_), C(g_.normal_noise(), n_, g_.noise_dimension());
    const Matrix A = tangent_noise();
    Matrix M = Matrix::Zero(d_, d_);
    for (int a = 0; a < n_; ++a) {
      if (g_.eigenvalue(a) == 0) continue;
      for (int b = 0; b < n_; ++b) {
        if (g_.eigenvalue(b) == 0) continue;
        double s = C.row(a).dot(C.row(b));
        if (a == b) s += noise_.label_scale(n_) * g_.eigenvalue(a);
        M += slow::weight(term, p, g_.eigenvalue(a), g_.eigenvalue(b)) * s * V.row(a).transpose() * V.row(b);
      }
      const Vector cross = slow::weight(term, p, g_.eigenvalue(a), 0.0) * (A * C.row(a).transpose());
      M += cross * V.row(a) + V.row(a).transpose() * cross.transpose();
    }
    return M;
  }
  Vector gradient_of_trace() override {
    Vector out(d_);
    g_.gradient_of_trace(out.data());
    return out;
  }
  void project(double* u) const override { g_.project(u); }
  Vector newton_step() override {
    Vector out(d_);
    g_.newton_step(out.data());
    return out;
  }

 private:
  const L& loss_;
  const Noise noise_;
  const int d_, n_;
  slow::ResidualGeometry<L, double> g_;
  std::vector<double> x_;
};

/// Of a loss without residuals. The second implementation is slow::DenseGeometry.
template <ValueLoss L>
class HessianTerms final : public slow::PointTerms {
  using Vector = slow::Vector;
  using Matrix = slow::Matrix;
  using Rows = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

 public:
  HessianTerms(const L& loss, const Noise& noise)
      : loss_(loss), noise_(noise), d_(loss.dim()), g_(loss, noise_.view()), x_(loss.dim()) {}
  void compute(const double* x) override {
    std::copy(x, x + d_, x_.data());
    g_.compute(x);
  }
  Vector normal_eigenvalues() const override {
    std::vector<double> kept;
    for (int a = d_ - 1; a >= 0; --a)
      if (g_.eigenvalue(a) > 0) kept.push_back(g_.eigenvalue(a));
    return Eigen::Map<Vector>(kept.data(), static_cast<Eigen::Index>(kept.size()));
  }
  Vector contraction(slow::Term term, const slow::Parameters& p) override {
    return filled([&](double* out) { g_.contract(term, p, out); });
  }
  Vector ito_normal(double batch) override {
    return filled([&](double* out) { g_.ito_normal(batch, out); });
  }
  Matrix tangent_noise() const override {
    Matrix columns(d_, g_.noise_dimension());
    for (int s = 0; s < g_.noise_dimension(); ++s) g_.tangent_column(s, columns.col(s).data());
    return columns;
  }
  Matrix matrix(slow::Term term, const slow::Parameters& p) const override {
    const Rows V(g_.eigenvectors(), d_, d_), sigma(g_.noise(), d_, d_);
    Matrix M = Matrix::Zero(d_, d_);
    for (int a = 0; a < d_; ++a) {
      if (g_.eigenvalue(a) == 0) continue;
      const Vector v = V.row(a), image = sigma * v;
      for (int b = 0; b < d_; ++b)
        if (g_.eigenvalue(b) != 0)
          M += slow::weight(term, p, g_.eigenvalue(a), g_.eigenvalue(b)) * V.row(b).dot(image) * v * V.row(b);
      Vector cross = slow::weight(term, p, g_.eigenvalue(a), 0.0) * image;
      project(cross.data());
      M += cross * v.transpose() + v * cross.transpose();
    }
    return M;
  }
  Vector gradient_of_trace() override {
    return filled([&](double* out) { g_.gradient_of_trace(out); });
  }
  void project(double* u) const override { g_.project(u); }
  Vector newton_step() override {
    Vector g(d_);
    loss::gradient(loss_, static_cast<const double*>(x_.data()), g.data());
    return filled([&](double* out) { g_.newton_step(g.data(), out); });
  }

 private:
  template <class F>
  Vector filled(F f) const {
    Vector out(d_);
    f(out.data());
    return out;
  }
  const L& loss_;
  const Noise noise_;
  const int d_;
  slow::HessianGeometry<L, double> g_;
  Vector x_;
};

}  // namespace model_detail

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
