// `sde list --formulas`: how a loss is typed, and the shipped examples.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "../experiment/reading.hpp"
#include "cli.hpp"
#include "sde/formula/parse.hpp"

namespace sde::cli {

namespace {

namespace fs = std::filesystem;

/// `key = "text"` of [loss], as the file has it.
std::string formula_of(const toml::table& file) {
  const auto loss = file["loss"];
  for (const char* key : {"formula", "residual"})
    if (const auto text = loss[key].value<std::string>()) return fmt::format("{} = \"{}\"", key, *text);
  std::vector<std::string> texts;
  if (const auto* several = loss["residuals"].as_array())
    for (const auto& text : *several) texts.push_back(text.value_or(std::string()));
  return fmt::format("residuals = [\"{}\"]", fmt::join(texts, "\", \""));
}

void print_grammar() {
  std::vector<std::string> functions = formula::function_names();
  std::erase_if(functions, [](const auto& name) { return name == "sum" || name == "dot"; });
  fmt::print(
      "A loss that is typed, in [loss] (docs/formulas.md)\n"
      "  formula = \"1/2 (y - x^3)^2 (1 + x^2)\"  the loss itself\n"
      "  residual = \"x y - 1\"                   f of a squared loss 1/2 f^2; with data, 1/(2n) sum f^2 over its "
      "rows\n"
      "  residuals = [\"x y - 1\", \"y z - 1\"]     several: 1/(2n) sum f_i^2 over all\n"
      "\nGrammar\n"
      "  operators   + - * / ^ and parentheses; a product needs no sign: 2 x (1 + y). ^ binds tighter than a sign, "
      "and\n"
      "              groups from the right. What reads in two ways is refused: 1/2x, x/y z\n"
      "  functions   {}\n"
      "  vectors     variables = {{w = 3}} has w[1] to w[3]; sum(w), dot(u, w), all else element by element\n"
      "  constants   pi, e, and parameters = {{a = 0.5}}, which --set and sweeps change (loss.parameters.a)\n"
      "  data        data = {{x1 = [...], x2 = [...], y = [...]}} or {{file = \"points.csv\"}}, or .nc: columns by "
      "their names;\n"
      "              x1, x2, ... are also the vector x; y and y[i] are the row's\n",
      fmt::join(functions, ", "));
}

}  // namespace

int print_formulas() {
  const auto folder = shared("experiments/formulas", fs::path(SDE_SOURCE_SHARE) / "../experiments/formulas");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  print_grammar();
  fmt::print("\nGallery (sde run {}/NAME.toml)\n", folder.lexically_normal().string());
  for (const auto& file : files) {
    const auto table = experiment::parse(experiment::read_text(file));
    fmt::print("  {:<21} {}\n  {:<21} {}\n", file.stem().string(), formula_of(table), "",
               table["title"].value_or(std::string()));
  }
  return kDone;
}

}  // namespace sde::cli
