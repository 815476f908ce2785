// What a work's sample is of: a number of a state, by name.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>

#include "sde/model/model.hpp"

namespace sde::bench {

struct Observable {
  std::string name;
  std::function<double(const double* x)> of;
};

inline Observable coordinate(int k) {
  return {fmt::format("x[{}]", k), [k](const double* x) { return x[k]; }};
}

inline Observable loss_value(std::shared_ptr<const LossModel> model) {
  return {"loss", [model](const double* x) { return model->value(x); }};
}

/// tr Hess at a point of Gamma, where it is |J|^2 / n.
inline Observable trace_of_hessian(std::shared_ptr<const LossModel> model) {
  return {"tr Hess", [model](const double* x) {
            const int n = model->residual_count();
            slow::Vector J(n * model->dim());
            model->jacobian(x, J.data());
            return J.squaredNorm() / n;
          }};
}

}  // namespace sde::bench
