#include <fmt/format.h>

#include <limits>

#include "sde/core/error.hpp"
#include "sde/ensemble/terms_at_start.hpp"
#include "sde/model/point_model.hpp"

namespace sde::ensemble {

namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& complaint) {
  throw InputError(fmt::format("{}: {}", field, complaint));
}

void check_point(const char* field, const Vector& x, int d, const char* advice) {
  if (x.size() != d) refuse(field, fmt::format("expected {} coordinates, got {}{}", d, x.size(), advice));
  if (!x.allFinite()) refuse(field, "expected finite coordinates");
}

}  // namespace

void check_start(const Problem& p) {
  if (!p.model) refuse("problem.model", "missing: expected a loss, as make_model() gives it");
  check_point("problem.start", p.start, p.model->dim(), "");
}

void check(const Problem& p) {
  check_start(p);
  const int d = p.model->dim();
  const auto* points = p.model->at_points();
  p.noise.check(d, p.model->residual_count(), points ? points->classes() : 0);
  check_point("problem.start_on_gamma", p.start_on_gamma, d,
              p.start_on_gamma.size() == 0 ? ": call project_start(), which sends the start through Phi" : "");
}

namespace {

/// Refuses an algorithm whose fluctuations grow at the start, and a slow SDE that has no weights there.
void check_stable(const Problem& problem, const Method& m) {
  const auto& a = m.algorithm;
  if (problem.model->at_points()) return;
  const double limit = a.type->stable_below(a);
  if (limit == std::numeric_limits<double>::infinity()) return;
  const double lambda = terms_at_start(problem, a)->lambda_max(), x = a.rate.eta * lambda;
  if (!(x < limit))
    refuse("method.eta",
           fmt::format("'{}' is unstable at the start, where the Hessian has the eigenvalue {:.4g}: expected eta below "
                       "{:.4g}, got {:g}",
                       m.name, lambda, limit / lambda, a.rate.eta));
  const auto p = a.type->slow_sde(a, a.rate.warmup);
  if (m.dynamics->on_gamma() && p.weights && !(x <= p.weights.most))
    refuse("method.eta",
           fmt::format(
               "'{}': the weights of its slow SDE are tabulated up to eta lambda = {:.4g}, at the start the Hessian "
               "has the eigenvalue {:.4g}: expected eta up to {:.4g}, got {:g}",
               m.name, p.weights.most, lambda, p.weights.most / lambda, a.rate.eta));
}

}  // namespace

void check(const Problem& problem, const Method& m) {
  if (!m.dynamics) refuse("method.dynamics", "missing: expected one of ensemble::all_dynamics()");
  discrete::check(m.algorithm);
  if (m.kind().empty())
    refuse("method.dynamics", fmt::format("there is none of this kind for {}", m.algorithm.type->name()));
  if (m.paths < 1) refuse("method.paths", fmt::format("expected at least 1, got {}", m.paths));
  if (m.dynamics->on_gamma() && problem.model->at_points())
    refuse(
        "method.kind",
        fmt::format(
            "'{}' follows a slow SDE, which needs Phi, and a network has none here: expected the algorithm itself, {}",
            m.kind(), m.algorithm.type->name()));
  if (m.dynamics->on_gamma()) check_slow_sde(problem, m.algorithm.workers);
  m.dynamics->check(problem, m);
  check_stable(problem, m);
}

void check_slow_sde(const Problem& p, int workers) {
  if (workers > 1 && !p.interpolating && p.noise.reshuffles(p.model->residual_count()))
    refuse(
        "noise.sampling",
        fmt::format("reshuffled epochs on a loss that keeps residuals on Gamma: the slow SDE is known for SGD alone, "
                    "got {} workers: expected sampling = \"with_replacement\", or one worker",
                    workers));
}

void check(const Problem& p, const Observation& o) {
  const int d = p.model->dim();
  if (p.model->at_points() && o.components > 0)
    refuse("observation.components", "drift and diffusion are Phi's, and a network has none here: expected 0");
  if (p.model->at_points() && !o.polynomials.empty())
    refuse("observation.polynomials", "they are of Phi(theta), and a network has none here: expected none");
  if (p.model->at_points() && p.noise.redraw > 0 && !o.diagonal_powers.empty())
    refuse("observation.diagonal_powers",
           "the diagonal of a network's Hessian is known for the labels of the file: expected none where labels are "
           "redrawn");
  for (const auto& power : o.diagonal_powers)
    if (!(power.power > 0)) refuse("observation.diagonal_powers", "expected powers above 0");
  if (o.times.empty()) refuse("observation.times", "expected at least one slow time");
  for (std::size_t i = 0; i < o.times.size(); ++i)
    if (!(o.times[i] >= (i == 0 ? 0 : o.times[i - 1])))
      refuse("observation.times",
             fmt::format("expected slow times from 0 on that ascend, number {} is {}", i, o.times[i]));
  if (o.components < 0 || o.components > d)
    refuse("observation.components", fmt::format("expected 0 to {}, got {}", d, o.components));
  if (o.save_paths < 0)
    refuse("observation.save_paths", fmt::format("expected a number of paths, 0 or more, got {}", o.save_paths));
  for (const auto& polynomial : o.polynomials)
    for (const auto& term : polynomial.terms)
      for (const auto& [coordinate, exponent] : term.powers)
        if (coordinate < 0 || coordinate >= d)
          refuse("observation.polynomials",
                 fmt::format("'{}' has coordinate {}: expected 1 to {}", polynomial.text, coordinate + 1, d));
}

}  // namespace sde::ensemble
