#include <fmt/format.h>

#include "sde/formula/graph.hpp"

namespace sde::formula {

namespace {

/// How tightly the outermost operation of a text binds.
enum Level { sum, product, sign, exponent, atom };

struct Text {
  std::string text;
  Level level;
};

std::string in(const Text& t, Level least) { return t.level >= least ? t.text : "(" + t.text + ")"; }

Text number(double value) {
  if (value < 0) return {fmt::format("-{}", -value), sign};
  return {fmt::format("{}", value), atom};
}

std::string name_of(const std::vector<std::string>& names, Id index, const char* otherwise) {
  const auto k = static_cast<std::size_t>(index);
  return k < names.size() ? names[k] : fmt::format("{}[{}]", otherwise, index + 1);
}

/// "u^p", "sqrt(u)" or "1/u".
Text power_of(const Text& base, double p) {
  if (p == 0.5) return {fmt::format("sqrt({})", base.text), atom};
  if (p < 0) return {fmt::format("1/{}", in(power_of(base, -p), exponent)), product};
  if (p == 1) return base;
  return {fmt::format("{}^{}", in(base, atom), p), exponent};
}

}  // namespace

std::string print(const Graph& g, Id root, const std::vector<std::string>& variables,
                  const std::vector<std::string>& parameters, const std::vector<std::string>& columns,
                  std::size_t most) {
  const auto needed = reachable(g, {root});
  std::vector<Text> texts(needed.size());
  const auto text = [&](Id id) -> const Text& { return texts[static_cast<std::size_t>(id)]; };
  for (Id id = 0; id <= root; ++id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const Node& n = g[id];
    Text& t = texts[static_cast<std::size_t>(id)];
    switch (n.op) {
      case Op::constant:
        t = number(n.value);
        break;
      case Op::input: {
        const auto index = n.first;
        t = {n.source == Source::variable    ? name_of(variables, index, "variable")
             : n.source == Source::parameter ? name_of(parameters, index, "parameter")
             : n.source == Source::column    ? name_of(columns, index, "column")
             : n.source == Source::weight    ? name_of({}, index, "weight")
                                             : name_of({}, index, "direction"),
             atom};
        break;
      }
      case Op::add:
        if (g.is_constant(n.second) && g[n.second].value < 0)
          t = {fmt::format("{} - {}", text(n.first).text, -g[n.second].value), sum};
        else
          t = {text(n.first).text + " + " + in(text(n.second), product), sum};
        break;
      case Op::subtract:
        t = {text(n.first).text + " - " + in(text(n.second), product), sum};
        break;
      case Op::multiply: {
        // A quotient binds as a product does, so only the right-hand side needs its own.
        t = {in(text(n.first), product) + "*" + in(text(n.second), exponent), product};
        break;
      }
      case Op::negate:
        t = {fmt::format("-{}", in(text(n.first), product)), sign};
        break;
      case Op::power:
        t = power_of(text(n.first), n.value);
        break;
      case Op::non_negative:
        t = {fmt::format("sqrt({})^2", text(n.first).text), exponent};
        break;
      default:
        t = {fmt::format("{}({})", function_name(n.op), text(n.first).text), atom};
    }
    if (t.text.size() > most) t = {t.text.substr(0, most) + "...", atom};
  }
  return text(root).text;
}

}  // namespace sde::formula
