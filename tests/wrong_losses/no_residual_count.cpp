// expect: a loss with residuals needs residual_count: expected `int residual_count() const`
#include "sde/model/make_model.hpp"

struct Wrong {
  int dim() const { return 2; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = theta[0] * theta[1] - 1.0;
  }
};

std::shared_ptr<sde::LossModel> model() { return sde::make_model(Wrong{}); }
