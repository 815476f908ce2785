// libFuzzer's target for formulas: whatever text is read has derivatives and programs, which run, and is printed as
// something that is read again.
#include <cmath>
#include <string>

#include "sde/core/error.hpp"
#include "sde/formula/derivative.hpp"
#include "sde/formula/evaluate.hpp"
#include "sde/formula/loss_system.hpp"
#include "sde/formula/names.hpp"
#include "sde/formula/parse.hpp"
#include "sde/formula/source.hpp"

using namespace sde;
using namespace sde::formula;

namespace {

constexpr int kDim = 5;

Names names_of(LossSystem& s) {
  Names names;
  const auto input = [&](Source source, int k) { return s.graph.input(source, k); };
  names.values["x"] = {{input(Source::variable, 0)}};
  names.values["y"] = {{input(Source::variable, 1)}};
  names.values["w"] = {{input(Source::variable, 2), input(Source::variable, 3), input(Source::variable, 4)}, true};
  names.values["a"] = {{input(Source::parameter, 0)}};
  names.values["X"] = {{input(Source::column, 0), input(Source::column, 1), input(Source::column, 2)}, true};
  names.values["z"] = {{input(Source::column, 3)}};
  names.rows = {"X", "z"};
  return names;
}

LossSystem system_of(bool by_row) {
  LossSystem s;
  s.variables = {"x", "y", "w[1]", "w[2]", "w[3]"};
  s.parameters = {"a", "n"};
  s.columns = {"X[1]", "X[2]", "X[3]", "z"};
  s.by_row = by_row;
  return s;
}

void use(LossSystem& s) {
  const std::vector<double> data{0.3, -1, 0.5, 2, 1, 1, -0.2, 0.7}, theta{0.5, -1.2, 0.3, 2, 1};
  BoundLoss bound;
  bound.programs = programs_of(s);
  bound.numbers = numbers_of(s, bound.programs, {0.7, 2}, data);
  const auto& programs = bound.programs;
  const auto& numbers = bound.numbers;
  const std::vector<double> w{1, -2}, u{1, 0, 0.5, -1, 2};
  std::vector<double> out(2 * kDim * kDim);
  for (const auto* p : {&programs.residuals, &programs.jacobian, &programs.pullback, &programs.weighted_hvp,
                        &programs.gradient, &programs.value, &programs.hessian, &programs.third_along})
    evaluate<double>(*p, numbers, programs.residuals_per_row,
                     {.variables = theta.data(), .weights = w.data(), .direction = u.data(), .output = out.data()});
  source_of(bound);
  not_finite(s, {0.7, 2}, data, theta);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    names_in(text);
    LossSystem rows = system_of(true);
    const Id root = parse(rows.graph, names_of(rows), text);
    const auto printed = print(rows.graph, root, rows.variables, rows.parameters, rows.columns);
    if (printed.size() < 5000) {
      LossSystem again = system_of(true);
      try {
        parse(again.graph, names_of(again), printed);
      } catch (const SyntaxError& e) {
        const std::string what = e.what();  // inf and nan are no numbers of a formula; depth may grow by parentheses
        if (what.find("nested") == std::string::npos && printed.find("inf") == std::string::npos &&
            printed.find("nan") == std::string::npos)
          __builtin_trap();
      }
    }
    rows.residuals = {root};
    use(rows);
    if (text.find('X') == std::string::npos && text.find('z') == std::string::npos) {
      LossSystem value = system_of(false);
      value.value = parse(value.graph, names_of(value), text);
      use(value);
    }
  } catch (const InputError&) {
  }
  return 0;
}
