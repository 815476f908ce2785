// expect: branches on a comparison of its numbers T, which hold many paths at once: expected select(t > 0, a, b)
#include "sde/model/make_model.hpp"

struct Wrong {
  static constexpr int Dim = 2, Residuals = 1;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = theta[0] + theta[1] - 1.0;
    if (theta[0] > 0) f[0] = f[0] * 2.0;
  }
};

std::shared_ptr<sde::LossModel> model() { return sde::make_model(Wrong{}); }
