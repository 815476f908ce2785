#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "../experiment/methods.hpp"
#include "../experiment/reading.hpp"
#include "../experiment/registry.hpp"
#include "cli.hpp"
#include "gamma_report.hpp"
#include "sde/ensemble/terms_at_start.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde::cli {

namespace {

using slow::Matrix;
using slow::Term;
using slow::Vector;

struct Options {
  std::string loss, formula, variables, noise, at, covariance;
  std::vector<std::string> residuals, parameters, noise_parameters, method_parameters;
  std::string method;
  std::optional<double> sigma2;
  std::optional<int> batch;
  double alpha = 0;
  int workers = 1;
  bool json = false;
};

/// "1,0.5,2" of an option; every entry has to be a finite number.
std::vector<double> numbers(const std::string& option, const std::string& text) {
  std::vector<double> v;
  std::stringstream parts(text);
  for (std::string part; !text.empty() && std::getline(parts, part, ',');) {
    char* end = nullptr;
    v.push_back(std::strtod(part.c_str(), &end));
    if (part.empty() || *end != '\0' || !std::isfinite(v.back()))
      throw InputError(fmt::format("{} {}: expected finite numbers separated by commas, entry {} is '{}'", option, text,
                                   v.size(), part));
  }
  return v;
}

/// The loss of --loss, or of --formula, --residual and --variables, with --param.
toml::table loss_of(const Options& o) {
  if (o.loss.empty() + o.formula.empty() + o.residuals.empty() != 2)
    throw InputError("expected one of --loss NAME, --formula TEXT and --residual TEXT");
  toml::table table, parameters;
  for (const auto& p : o.parameters) experiment::assign(o.loss.empty() ? parameters : table, p);
  if (table.contains("name")) throw InputError("--param name: the loss is named by --loss");
  if (!o.loss.empty()) {
    if (!o.variables.empty()) throw InputError("--variables: belongs to --formula and --residual");
    table.insert("name", o.loss);
    return table;
  }
  if (!o.formula.empty()) table.insert("formula", o.formula);
  toml::array residuals;
  for (const auto& text : o.residuals) residuals.push_back(text);
  if (!residuals.empty()) table.insert("residuals", residuals);
  if (!parameters.empty()) table.insert("parameters", parameters);
  toml::array names;
  std::stringstream parts(o.variables);
  for (std::string name; std::getline(parts, name, ',');) names.push_back(name);
  if (!names.empty()) table.insert("variables", names);
  return table;
}

/// The noise of --noise, --cov, --sigma2 and --noise-param.
toml::table noise_of(const Options& o, const std::vector<double>& covariance) {
  toml::table table;
  const std::string kind = !o.noise.empty() ? o.noise : !covariance.empty() ? "gaussian" : "label";
  table.insert("kind", kind);
  if (!covariance.empty()) {
    toml::array a;
    for (const double c : covariance) a.push_back(c);
    table.insert("covariance", a);
  }
  if (o.sigma2 && !covariance.empty())
    throw InputError("--sigma2: expected either --cov or --sigma2, the variance of isotropic noise");
  if (!covariance.empty() && kind != "gaussian")
    throw InputError(fmt::format("--cov: belongs to --noise gaussian, got --noise {}", kind));
  if (o.sigma2 && kind != "label" && kind != "gaussian")
    throw InputError(fmt::format("--sigma2: belongs to --noise label or gaussian, got --noise {}", kind));
  if (o.sigma2) table.insert(kind == "label" ? "sigma2" : "variance", *o.sigma2);
  for (const auto& p : o.noise_parameters) experiment::assign(table, p);
  return table;
}

nlohmann::json rows(const Matrix& M) {
  auto j = nlohmann::json::array();
  for (Eigen::Index i = 0; i < M.rows(); ++i) {
    const Vector row = M.row(i);
    j.push_back(std::vector<double>(row.begin(), row.end()));
  }
  return j;
}
std::vector<double> list(const Vector& v) { return {v.begin(), v.end()}; }

/// The slow SDE that is asked for: of --method, or of --workers, --batch and --alpha.
struct Asked {
  slow::Parameters parameters;
  int workers = 1, batch = 1;
  std::optional<discrete::Algorithm> algorithm;
};
Asked asked_of(const Options& o) {
  Asked asked;
  if (o.method.empty()) {
    if (!o.method_parameters.empty()) throw InputError("--method-param: belongs to --method");
    asked.workers = o.workers;
    asked.batch = o.batch.value_or(o.workers);
    if (asked.batch % o.workers != 0)
      throw InputError(fmt::format("--batch: expected a multiple of --workers {} (the total batch), got {}", o.workers,
                                   asked.batch));
    asked.parameters = {.batch = static_cast<double>(asked.batch), .workers = o.workers, .alpha = o.alpha};
    return asked;
  }
  if (o.alpha != 0) throw InputError("--alpha: with --method it follows from --method-param eta=... and H=...");
  toml::table table;
  table.insert("workers", o.workers);
  if (o.batch) table.insert("batch", *o.batch);
  for (const auto& p : o.method_parameters) experiment::assign(table, p);
  table.insert_or_assign("kind", o.method);
  experiment::Section section(table, "--method-param");
  asked.algorithm = experiment::read_algorithm(section);
  asked.workers = asked.algorithm->workers;
  asked.batch = asked.algorithm->batch;
  asked.parameters = asked.algorithm->type->slow_sde(*asked.algorithm, 0);
  return asked;
}

/// What theory.md section 9 says of the algorithm: the weights of the drift for pairs of these eigenvalues, the largest
/// ones, and 0, and their ratio to SGD's at the same diffusion.
nlohmann::json weights_of(const discrete::Algorithm& a, const slow::Parameters& p, const Vector& eigenvalues) {
  constexpr std::size_t kMost = 5;
  std::vector<double> values(eigenvalues.begin(), eigenvalues.end());
  std::sort(values.rbegin(), values.rend());
  values.erase(std::unique(values.begin(), values.end(), [](double x, double y) { return y > x * (1 - 1e-6); }),
               values.end());
  if (values.size() > kMost) values.resize(kMost);
  values.push_back(0);
  const auto n = static_cast<Eigen::Index>(values.size());
  Matrix w = Matrix::Zero(n, n), over = w;
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) {
      const double x = values[static_cast<std::size_t>(i)], y = values[static_cast<std::size_t>(j)];
      if (x + y == 0) continue;
      w(i, j) = slow::weight<double>(Term::drift, p, x, y);
      over(i, j) = w(i, j) * 2 * p.batch * (x + y);
    }
  const double stable = a.type->stable_below(a);
  if (!(a.rate.eta * values.front() < stable))
    throw InputError(
        fmt::format("--method-param eta: '{}' is unstable there, where the Hessian has the eigenvalue {:.4g}: "
                    "expected eta below {:.4g}, got {:g}",
                    a.type->label(a), values.front(), stable / values.front(), a.rate.eta));
  nlohmann::json j{{"name", a.type->label(a)}, {"eta", a.rate.eta},      {"eigenvalues", values},
                   {"weights", rows(w)},       {"over_sgd", rows(over)}, {"diffusion", 1 / p.batch}};
  if (std::isfinite(stable)) j["stable_eta"] = stable / values.front();
  return j;
}

void print(const nlohmann::json& j, const manifold::Findings& gamma) {
  const auto line = [](const std::string& name, const nlohmann::json& v) {
    std::string text;
    if (v.is_array() && !v.empty() && v[0].is_array()) {
      for (std::size_t i = 0; i < v.size(); ++i) {
        text += i ? fmt::format("\n{:21}", "") : "";
        for (const auto& e : v[i]) text += fmt::format("{:>14.7g}", e.get<double>());
      }
    } else if (v.is_array()) {
      for (const auto& e : v) text += fmt::format("{:>14.7g}", e.get<double>());
    } else {
      text = fmt::format("{:>14.7g}", v.get<double>());
    }
    fmt::print("{:<20} {}\n", name, text);
  };
  if (j["projected"].get<bool>()) fmt::print("The point given is off Gamma; the terms are those at its Phi.\n");
  fmt::print("Gamma there: {}\n", manifold::describe(gamma));
  for (const auto& warning : manifold::warnings(gamma)) fmt::print("warning: {}\n", warning);
  if (const auto& variables = j["variables"]; !variables.empty())
    fmt::print("{:<20} {:>14}\n", "variables", fmt::join(variables.get<std::vector<std::string>>(), " "));
  if (j.contains("method")) {
    const auto& m = j["method"];
    fmt::print("{}, eta = {:g}: diffusion Sigma_par * {:.7g}", m["name"].get<std::string>(), m["eta"].get<double>(),
               m["diffusion"].get<double>());
    if (m.contains("stable_eta")) fmt::print("; stable here for eta below {:.4g}", m["stable_eta"].get<double>());
    fmt::print("\n");
    if (m.contains("metric")) line("metric S", m["metric"]);
    line(m.contains("metric") ? "eigenvalues in it" : "eigenvalues", m["eigenvalues"]);
    line("w of their pairs", m["weights"]);
    line("over SGD's", m["over_sgd"]);
  }
  for (const char* key : {"point", "gradient_norm", "hessian_eigenvalues", "trace_hessian", "lambda_max", "sigma_hat",
                          "psi_hat", "drift_1", "drift_2", "ito_normal", "diffusion", "gradient_trace_hessian"})
    if (j.contains(key)) line(key, j[key]);
}

/// " (x, y)"
std::string coordinates_of(const std::vector<std::string>& variables) {
  constexpr std::size_t kMost = 8;
  if (variables.empty()) return "";
  const std::vector<std::string> first(
      variables.begin(), variables.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, variables.size())));
  return fmt::format(" ({}{})", fmt::join(first, ", "), variables.size() > kMost ? ", ..." : "");
}

int run(const Options& o) {
  const toml::table loss_table = loss_of(o);
  const auto at = numbers("--at", o.at), covariance = numbers("--cov", o.covariance);
  experiment::Section loss_section(loss_table, "loss");
  ensemble::Problem problem;
  const auto named = experiment::make_loss(loss_section);
  problem.model = named.model;
  const int d = problem.model->dim();
  if (!at.empty() && static_cast<int>(at.size()) != d)
    throw InputError(fmt::format("--at: expected {} coordinates for {}{}, got {}", d, named.name,
                                 coordinates_of(named.variables), at.size()));
  if (at.empty() && named.start.size() == 0)
    throw InputError(
        fmt::format("--at: missing: a formula has no start of its own{}", coordinates_of(named.variables)));
  problem.start = at.empty() ? named.start : Eigen::Map<const Vector>(at.data(), d);

  if (const auto where = named.model->not_finite(problem.start.data()); !where.empty())
    throw InputError(fmt::format("--at: the loss is not finite there: {}", where));
  for (const auto& note : named.notes) fmt::print(stderr, "sde: {}\n", note);
  toml::table noise_table = noise_of(o, covariance);
  problem.noise = experiment::read_noise({experiment::Section(noise_table, "noise")}, *problem.model);

  auto asked = asked_of(o);
  const int batch = asked.batch;
  try {
    problem.project_start();
  } catch (const manifold::FlowError& e) {
    throw InputError(fmt::format("--at: no point of Gamma belongs to it: {}", e.what()));
  }
  const Vector& point = problem.start_on_gamma;
  const auto gamma = findings_of(problem);
  if (asked.algorithm) ensemble::set_noise(problem, *asked.algorithm);
  const auto plain = problem.terms();
  plain->compute(point.data());
  const auto of_algorithm = asked.algorithm ? ensemble::terms_at_start(problem, *asked.algorithm) : nullptr;
  auto* const terms = of_algorithm ? of_algorithm.get() : plain.get();
  Vector g(d);
  problem.model->gradient(point.data(), g.data());
  const slow::Parameters& p = asked.parameters;
  const Vector eigenvalues = plain->normal_eigenvalues();
  Vector spectrum = Vector::Zero(d);
  spectrum.tail(eigenvalues.size()) = eigenvalues;

  constexpr int kMatricesUpTo = 256;  // d x d matrices of larger problems are left out
  const Vector zero = Vector::Zero(d);
  nlohmann::json j{
      {"point", list(point)},
      {"projected", (point - problem.start).norm() > 1e-9 * (1 + problem.start.norm())},
      {"gradient_norm", g.norm()},
      {"hessian_eigenvalues", list(d <= 4096 ? spectrum : eigenvalues)},
      {"trace_hessian", eigenvalues.sum()},
      {"lambda_max", plain->lambda_max()},
      {"gamma", to_json(gamma)},
      {"drift_1", list(terms->contraction(Term::drift_1, p))},
      {"drift_2", list(p.has_second() ? terms->contraction(Term::drift_2, p) : zero)},
      {"ito_normal", list(terms->ito_normal(p.batch))},
      {"gradient_trace_hessian", list(plain->gradient_of_trace())},
      {"loss", named.name},
      {"variables", named.variables},
      {"workers", asked.workers},
      {"batch", batch},
      {"alpha", p.alpha},
  };
  if (asked.algorithm) {
    if (eigenvalues.size() == 0) throw InputError("--method: expected a point where the Hessian is not 0");
    j["method"] = weights_of(*asked.algorithm, p, terms->normal_eigenvalues());
    if (const auto metric = asked.algorithm->type->metric(*asked.algorithm))
      j["method"]["metric"] = list(metric->root(metric->start).cwiseAbs2());
  }
  if (d <= kMatricesUpTo) {
    const Matrix columns = terms->tangent_noise();
    j["sigma_hat"] = rows(terms->matrix(Term::sigma_hat, p));
    auto of_psi = p;
    if (!p.weights) of_psi.workers = 2;  // of one worker, too, what Local SGD's would be
    j["psi_hat"] = rows(terms->matrix(Term::psi_hat, of_psi));
    j["diffusion"] = rows(columns * columns.transpose() / p.batch);
  }
  if (o.json)
    fmt::print("{}\n", j.dump(2));
  else
    print(j, gamma);
  return kDone;
}

}  // namespace

Command add_terms(CLI::App& app) {
  auto* sub =
      app.add_subcommand("terms", "The slow-SDE terms at one point: Sigma_hat, Psi_hat, drifts, diffusion, sharpness");
  auto o = std::make_shared<Options>();
  sub->add_option("--loss", o->loss, "Loss (sde list names them)")->type_name("NAME");
  sub->add_option("--formula", o->formula, "Loss as a formula, e.g. \"1/2 (y - x^3)^2 (1 + x^2)\"")->type_name("TEXT");
  sub->add_option("--residual", o->residuals, "Residual of a squared loss 1/(2n) sum f_i^2, a formula (repeatable)")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  sub->add_option("--variables", o->variables, "Order of the formula's variables (default: by name)")
      ->type_name("NAME,NAME,...");
  sub->add_option("--param", o->parameters, "Parameter of the loss (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--at", o->at, "Point; sent through Phi if it is off Gamma")->type_name("X1,X2,...");
  sub->add_option("--noise", o->noise, "label, gaussian, minibatch, state or none")->type_name("NAME");
  sub->add_option("--noise-param", o->noise_parameters, "Parameter of the noise, as in an experiment file (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--cov", o->covariance, "Covariance of gaussian noise, row-major")->type_name("A,B,C,...");
  sub->add_option("--sigma2", o->sigma2, "Label variance, or the variance of isotropic gaussian noise")
      ->check(number_of_at_least(0))
      ->type_name("V");
  sub->add_option("--workers", o->workers, "K")->check(whole_number(1, 65'535))->type_name("K")->capture_default_str();
  sub->add_option("--batch", o->batch, "Total batch B (default: K)")
      ->check(whole_number(1, 1'000'000'000))
      ->type_name("B");
  sub->add_option("--alpha", o->alpha, "eta * H")
      ->check(number_of_at_least(0, true))
      ->type_name("A")
      ->capture_default_str();
  sub->add_option("--method", o->method, "Algorithm (sde list names them): its weights w(lambda_i, lambda_j) and terms")
      ->type_name("KIND");
  sub->add_option("--method-param", o->method_parameters, "Key of the algorithm, as in an experiment file (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_flag("--json", o->json, "Print JSON");
  sub->footer(
      "Examples:\n  sde terms --formula \"1/2 (y - x^3)^2 (1 + x^2)\" --at 1,1 --noise gaussian\n"
      "  sde terms --residual \"a x y - 1\" --param a=0.5 --at 2,1 --sigma2 1\n"
      "  sde terms --loss hyperbola --at 2,0.5 --sigma2 1 --workers 8 --alpha 0.5\n"
      "  sde terms --loss hyperbola --at 2,0.5 --sigma2 1 --workers 4 --method diloco --method-param eta=0.02 "
      "--method-param H=10 --method-param mu=0.6\n"
      "  sde terms --loss ring --param a=0.5 --at 0.6,0.8 --noise gaussian --cov 1,0.3,0.3,0.5 --workers 4 --batch 4 "
      "--alpha 0.2 --json\n"
      "  sde terms --loss ring --noise state --noise-param rank=1 --noise-param constant=[0.5,0.2]");
  return {sub, [o] { return run(*o); }};
}

}  // namespace sde::cli
