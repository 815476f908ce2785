#include "sde/verify/test_function.hpp"

#include <fmt/format.h>

namespace sde::verify {

namespace {
Vector unit(int k) { return Vector::Unit(k + 1, k); }
}  // namespace

TestFunction coordinate(int k) { return {.name = fmt::format("x{}", k + 1), .u = unit(k)}; }
TestFunction square(int k) { return {.name = fmt::format("x{}^2", k + 1), .u = unit(k), .w = unit(k)}; }
TestFunction product(int j, int k) {
  return {.name = fmt::format("x{}*x{}", j + 1, k + 1), .u = unit(j), .w = unit(k)};
}
TestFunction bounded(int k) { return {.name = fmt::format("tanh x{}", k + 1), .u = unit(k), .bounded = true}; }
TestFunction sharpness() {
  return {.name = "tr Hess",
          .value = [](const Vector&, const slow::PointTerms& terms) { return terms.trace_hessian(); }};
}

SmoothFunction TestFunction::flat() const {
  return {u.data(),
          w.data(),
          centre.size() > 0 ? centre.data() : nullptr,
          static_cast<int>(u.size()),
          static_cast<int>(w.size()),
          bounded};
}

double TestFunction::operator()(const Vector& x, const slow::PointTerms& terms) const {
  return smooth() ? flat().value(x.data()) : value(x, terms);
}

}  // namespace sde::verify
