#include <fmt/format.h>

#include <filesystem>

#include "../experiment/methods.hpp"
#include "../experiment/perceptron.hpp"
#include "../experiment/tanh_on_data.hpp"
#include "cli.hpp"
#include "sde/discrete/algorithms.hpp"

namespace sde::cli {

namespace {

/// A default that depends on other keys is said in the key's meaning.
std::string default_of(const KeyDescription& key) {
  if (key.meaning.find("(default: ") != std::string::npos) return "";
  return key.otherwise.empty() ? "required" : key.otherwise;
}

void print_loss(const experiment::LossDescription& loss) {
  fmt::print("  {:<17} {}\n", loss.name, loss.formula);
  for (const auto& k : loss.keys)
    fmt::print("  {:<17}   {:<25} {} ({})\n", "",
               k.otherwise == "[]" && default_of(k).empty() ? k.name : fmt::format("{} = {}", k.name, k.otherwise),
               k.meaning, k.values);
}

void print_methods() {
  for (const auto* type : discrete::Algorithms::all()) fmt::print("  {:<26} {}\n", type->name(), type->description());
  for (const auto* dynamics : ensemble::all_dynamics()) {
    if (dynamics->is_algorithm()) continue;
    fmt::print("  {}\n", dynamics->description());
    for (const auto& [name, kind] : experiment::method_kinds())
      if (kind.dynamics == dynamics) fmt::print("    {}\n", name);
  }
  fmt::print("  keys, in [training] for all or in a [[method]]\n");
  for (const auto& key : experiment::method_keys())
    fmt::print("    {:<22} {}: {}\n", fmt::format("{} = {}", key.name, default_of(key)), key.meaning, key.values);
}

/// As docs/experiments.md has it.
void print_markdown() {
  fmt::print("| key | meaning | values | default |\n|---|---|---|---|\n");
  for (const auto& key : experiment::method_keys()) {
    auto values = key.values;
    for (auto bar = values.find(" |"); bar != std::string::npos; bar = values.find(" |")) values.replace(bar, 2, ",");
    fmt::print("| {} | {} | {} | {} |\n", key.name, key.meaning, values, default_of(key));
  }
}

}  // namespace

Command add_list(CLI::App& app) {
  auto* sub = app.add_subcommand("list", "The built-in losses, noises and methods with their parameters");
  const auto markdown = std::make_shared<bool>(false);
  const auto formulas = std::make_shared<bool>(false);
  auto* table = sub->add_flag("--markdown", *markdown, "The keys of a method as the table in docs/experiments.md");
  sub->add_flag("--formulas", *formulas, "How a loss is typed as a formula, and a gallery of such")->excludes(table);
  sub->footer("Examples:\n  sde list\n  sde list --formulas");
  return {sub, [markdown, formulas] {
            if (*formulas) return print_formulas();
            if (*markdown) {
              print_markdown();
              return static_cast<int>(kDone);
            }
            fmt::print("Losses ([loss] name = ..., or typed as a formula: sde list --formulas)\n");
            for (const auto& e : experiment::losses()) print_loss(e);
            print_loss(experiment::tanh_on_data());
            print_loss(experiment::perceptron());
            fmt::print(
                "\nNoises ([noise] kind = ..., several [[noise]] tables add up)\n"
                "  label             labels perturbed at each draw: sigma2, law = two_point | gaussian, sampling;\n"
                "                    of a perceptron: probability, with which a drawn label is another class's\n"
                "  minibatch         sampling = with_replacement | without_replacement (reshuffled epochs) | full\n"
                "  gaussian          covariance (row-major), or variances (one a coordinate), or variance\n"
                "  state             A(theta) = A_0 + sum_k theta_k A_k: rank, constant, slopes\n"
                "  none\n"
                "\nMethods ([[method]] kind = ...)\n");
            print_methods();
            return static_cast<int>(kDone);
          }};
}

}  // namespace sde::cli
