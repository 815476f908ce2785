// Losses that are formulas (formula/loss_system.hpp): their members run the formula's programs. A formula is known when
// the program runs, so one class of loss serves all of them.
#pragma once

#include <memory>

#include "sde/formula/loss_system.hpp"
#include "sde/loss/concepts.hpp"
#include "sde/loss/near_root.hpp"

namespace sde::loss {

/// What formulas have in common.
class Formula {
 public:
  explicit Formula(std::shared_ptr<const formula::BoundLoss> bound) : bound_(std::move(bound)) {}
  int dim() const { return programs().dim; }
  /// Whether there is a test error.
  bool tested() const { return !bound_->test_error.empty(); }
  double test_error(const double* theta) const {
    double error = 0;
    formula::evaluate<double>(bound_->test_error, bound_->test_numbers, 0, {.variables = theta, .output = &error});
    return error;
  }

 protected:
  const formula::LossPrograms& programs() const { return bound_->programs; }
  const formula::Numbers& numbers() const { return bound_->numbers; }
  template <class T>
  void run(const formula::Program& program, const formula::Arrays<T>& arrays) const {
    formula::evaluate(program, numbers(), programs().residuals_per_row, arrays);
  }

 private:
  std::shared_ptr<const formula::BoundLoss> bound_;
};

/// A squared loss of N residuals, or of any number (kDynamic).
template <int N>
class FormulaResiduals : public Formula {
 public:
  static constexpr int Residuals = N;
  using Formula::Formula;

  int residual_count() const {
    if constexpr (N != kDynamic)
      return N;
    else
      return numbers().rows * programs().residuals_per_row;
  }
  template <class T>
  void residuals(const T* theta, T* f) const {
    run<T>(programs().residuals, {.variables = theta, .output = f});
  }
  template <class T>
  void jacobian(const T* theta, T* J) const {
    run<T>(programs().jacobian, {.variables = theta, .output = J});
  }
  template <class T>
  void pullback(const T* theta, const T* w, T* g) const {
    run<T>(programs().pullback, {.variables = theta, .weights = w, .output = g});
  }
  template <class T>
  void weighted_hvp(const T* theta, const T* c, const T* u, T* out) const {
    run<T>(programs().weighted_hvp, {.variables = theta, .weights = c, .direction = u, .output = out});
  }
  template <class T>
  void gradient(const T* theta, T* g) const {
    run<T>(programs().gradient, {.variables = theta, .output = g});
  }
};

/// One residual, whose retraction is in closed form where Gamma is a line, a conic or its like.
class FormulaResidual : public FormulaResiduals<1> {
 public:
  using FormulaResiduals<1>::FormulaResiduals;
  /// Whether intersect_normal() may be called.
  bool meets_lines() const { return !programs().intersection.empty(); }
  template <class T>
  auto intersect_normal(const T* v, T* x) const {
    T c[3], t;
    run<T>(programs().intersection, {.variables = x, .direction = v, .output = c});
    const T sign = select(c[1] < T(0.0), T(-1.0), T(1.0));
    const auto lost = near_root(sign * c[0], sign * c[1], sign * c[2], t);
    for (int k = 0; k < dim(); ++k) x[k] += t * v[k];
    return lost;
  }
};

/// Any other loss.
class FormulaValue : public Formula {
 public:
  using Formula::Formula;
  template <class T>
  T value(const T* theta) const {
    T out;
    run<T>(programs().value, {.variables = theta, .output = &out});
    return out;
  }
  template <class T>
  void gradient(const T* theta, T* g) const {
    run<T>(programs().gradient, {.variables = theta, .output = g});
  }
  /// H[d*d]
  template <class T>
  void hessian(const T* theta, T* H) const {
    if (!programs().hessian.empty()) {
      run<T>(programs().hessian, {.variables = theta, .output = H});
      return;
    }
    const int d = dim();
    std::vector<T> unit(static_cast<std::size_t>(d), T(0.0));
    for (int j = 0; j < d; ++j) {
      unit[static_cast<std::size_t>(j)] = T(1.0);
      hessian_vector(theta, unit.data(), H + j * d);
      unit[static_cast<std::size_t>(j)] = T(0.0);
    }
  }
  /// out[d] = Hess(L) u
  template <class T>
  void hessian_vector(const T* theta, const T* u, T* out) const {
    run<T>(programs().hessian_vector, {.variables = theta, .direction = u, .output = out});
  }
  /// out[d] = D3L[u u^T]
  template <class T>
  void third_along(const T* theta, const T* u, T* out) const {
    run<T>(programs().third_along, {.variables = theta, .direction = u, .output = out});
  }
};

}  // namespace sde::loss
