#include "stiff_flow.hpp"

#include <algorithm>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4_controller.hpp>
#include <utility>

namespace sde::manifold {

void integrate_stiff(int d, const VectorField& field, const VectorField& jacobian, double* x, double time,
                     double first_step, double tolerance) {
  namespace odeint = boost::numeric::odeint;
  using State = boost::numeric::ublas::vector<double>;
  using Matrix = boost::numeric::ublas::matrix<double>;
  State y(static_cast<std::size_t>(d));
  std::copy(x, x + d, y.begin());
  const auto f = [&](const State& p, State& v, double) { field(&p[0], &v[0]); };
  const auto j = [&](const State& p, Matrix& m, double, State& dfdt) {
    jacobian(&p[0], &m.data()[0]);
    std::fill(dfdt.begin(), dfdt.end(), 0.0);
  };
  odeint::integrate_adaptive(odeint::rosenbrock4_controller<odeint::rosenbrock4<double>>(tolerance, tolerance),
                             std::make_pair(f, j), y, 0.0, time, first_step);
  std::copy(y.begin(), y.end(), x);
}

}  // namespace sde::manifold
