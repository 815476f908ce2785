#include "sde/formula/source.hpp"

#include <fmt/format.h>

#include <map>

namespace sde::formula {

namespace {

/// Beyond, arrays of these sizes have no place on the stack: they are known when the program runs.
constexpr int kMostConstantDim = 16, kMostConstantResiduals = 8;

/// Statements of a list of instructions. Slots, which instructions use again and again, become names of their own.
class Writer {
 public:
  explicit Writer(const char* constants) : constants_(constants) {}
  std::string statements(const std::vector<Instruction>& list, const char* indent) {
    std::string text;
    for (const auto& i : list) {
      const std::string right = value(i);
      if (bank_of(i.to) == Bank::slot) {
        names_[index_of(i.to)] = ++count_;
        text += fmt::format("{}const T t{} = {};\n", indent, count_, right);
      } else {
        text += fmt::format("{}o[{}] = {};\n", indent, index_of(i.to), right);
      }
    }
    return text;
  }

 private:
  std::string operand(Place p) const {
    switch (bank_of(p)) {
      case Bank::slot:
        return fmt::format("t{}", names_.at(index_of(p)));
      case Bank::variable:
        return fmt::format("x[{}]", index_of(p));
      case Bank::weight:
        return fmt::format("w[{}]", index_of(p));
      case Bank::direction:
        return fmt::format("u[{}]", index_of(p));
      case Bank::output:
        return fmt::format("o[{}]", index_of(p));
      case Bank::constant:
        return fmt::format("{}[{}]", constants_, index_of(p));
      default:
        return fmt::format("s[{}]", index_of(p));
    }
  }
  std::string value(const Instruction& i) const {
    const auto a = [&] { return operand(i.a); };
    const auto b = [&] { return operand(i.b); };
    switch (i.code) {
      case Code::add:
        return fmt::format("{} + {}", a(), b());
      case Code::subtract:
        return fmt::format("{} - {}", a(), b());
      case Code::multiply:
      case Code::scale:
        return fmt::format("{} * {}", a(), b());
      case Code::add_scalar:
        return fmt::format("{} + T({})", a(), b());
      case Code::scalar_minus:
        return fmt::format("T({}) - {}", b(), a());
      case Code::fill:
        return fmt::format("T({})", b());
      case Code::accumulate:
        return fmt::format("{} + {}", operand(i.to), a());
      case Code::copy:
        return a();
      case Code::negate:
        return fmt::format("-{}", a());
      case Code::inverse:
        return fmt::format("formula::inverse({})", a());
      case Code::sqrt:
        return fmt::format("sqrt({})", a());
      case Code::non_negative:
        return fmt::format("formula::non_negative({})", a());
      case Code::step:
        return fmt::format("formula::step({})", a());
      default:
        return fmt::format("{}({})", function_name(function_of(i.code)), a());
    }
  }
  static Op function_of(Code code) {
    return static_cast<Op>(static_cast<int>(kFirstFunction) + static_cast<int>(code) - static_cast<int>(Code::exp));
  }

  const char* constants_;
  std::map<std::uint32_t, int> names_;
  int count_ = 0;
};

/// The statements of a program whose rows have so many columns and weights. `test`: those of the test data.
std::string body_of(const Program& p, int columns, int weights, bool test = false) {
  Writer writer(test ? "test_c" : "c");
  std::string body = writer.statements(p.once, "    ");
  const char* prefix = test ? "test_" : "";
  if (!p.row.empty()) {
    body += fmt::format("    for (int r = 0; r < {}rows; ++r) {{\n", prefix);
    if (columns > 0) body += fmt::format("      const double* const s = &{}columns[r * {}];\n", prefix, columns);
    body += writer.statements(p.row, "      ");
    if (weights > 0) body += fmt::format("      w += {};\n", weights);
    if (p.row_outputs > 0) body += fmt::format("      o += {};\n", p.row_outputs);
    body += "    }\n";
  }
  return body;
}

/// A member that runs a program.
std::string member(const Program& p, const std::string& signature, int columns, int weights) {
  return fmt::format("  template <class T>\n  SDE_DEVICE {} const {{\n{}  }}\n", signature,
                     body_of(p, columns, weights));
}

std::string test_error(const BoundLoss& bound) {
  return fmt::format(
      "  SDE_DEVICE double test_error([[maybe_unused]] const double* x) const {{\n    using T = double;\n    double "
      "o[1];\n{}"
      "    return o[0];\n  }}\n",
      body_of(bound.test_error, bound.test_numbers.per_row, 0, true));
}

std::string sizes(const BoundLoss& bound) {
  const LossPrograms& p = bound.programs;
  const Numbers& n = bound.numbers;
  const int residuals = n.rows * p.residuals_per_row;
  std::string text;
  if (p.dim <= kMostConstantDim && residuals <= kMostConstantResiduals) {
    text += fmt::format("  static constexpr int Dim = {};\n", p.dim);
    if (residuals > 0) text += fmt::format("  static constexpr int Residuals = {};\n", residuals);
  } else if (residuals == 1) {
    text += "  static constexpr int Residuals = 1;\n";
  }
  for (const auto& [prefix, numbers] : {std::pair("", &n), std::pair("test_", &bound.test_numbers)})
    text += fmt::format("  double {}c[{}];\n  Data {}columns;\n  int {}rows;\n", prefix,
                        std::max<std::size_t>(1, numbers->constants.size()), prefix, prefix);
  text += fmt::format("  SDE_DEVICE int dim() const {{ return {}; }}\n", p.dim);
  if (residuals > 0)
    text += residuals == 1 || p.residuals.row.empty()
                ? fmt::format("  SDE_DEVICE int residual_count() const {{ return {}; }}\n", residuals)
                : fmt::format("  SDE_DEVICE int residual_count() const {{ return rows * {}; }}\n", p.residuals_per_row);
  return text;
}

const char kIntersection[] = R"(  template <class T>
  SDE_DEVICE auto intersect_normal(const T* v, T* x) const {
    T q[3], t;
    conic(x, v, q);
    const T sign = select(q[1] < T(0.0), T(-1.0), T(1.0));
    const auto lost = near_root(sign * q[0], sign * q[1], sign * q[2], t);
    for (int k = 0; k < dim(); ++k) x[k] += t * v[k];
    return lost;
  }
)";

const char kEnd[] = R"(};
struct Typed : TypedOf<std::vector<double>> {
  Typed() = default;
  explicit Typed(const formula::BoundLoss& bound) {
    std::copy(bound.numbers.constants.begin(), bound.numbers.constants.end(), c);
    columns = bound.numbers.columns;
    rows = bound.numbers.rows;
    std::copy(bound.test_numbers.constants.begin(), bound.test_numbers.constants.end(), test_c);
    test_columns = bound.test_numbers.columns;
    test_rows = bound.test_numbers.rows;
  }
  template <class Upload>
  TypedOf<const double*> on_device(Upload upload) const {
    TypedOf<const double*> there;
    std::copy(std::begin(c), std::end(c), there.c);
    there.columns = upload(columns);
    there.rows = rows;
    std::copy(std::begin(test_c), std::end(test_c), there.test_c);
    there.test_columns = upload(test_columns);
    there.test_rows = test_rows;
    return there;
  }
};

}  // namespace sde::loss
)";

}  // namespace

std::string source_of(const BoundLoss& bound) {
  const LossPrograms& p = bound.programs;
  std::string text =
      "#pragma once\n#include <algorithm>\n#include <iterator>\n#include <vector>\n\n"
      "#include \"sde/formula/loss_system.hpp\"\n#include \"sde/formula/operations.hpp\"\n#include "
      "\"sde/loss/concepts.hpp\"\n#include \"sde/loss/near_root.hpp\"\n\n"
      "namespace sde::loss {\n\ntemplate <class Data>\nstruct TypedOf {\n";
  text += sizes(bound);
  const int columns = bound.numbers.per_row, weights = p.residuals_per_row;
  const auto add = [&](const Program& program, const std::string& signature, int weights_used = 0) {
    text += member(program, signature, columns, weights_used);
  };
  if (p.residuals_per_row > 0) {
    add(p.residuals, "void residuals([[maybe_unused]] const T* x, T* o)");
    add(p.jacobian, "void jacobian([[maybe_unused]] const T* x, T* o)");
    add(p.pullback, "void pullback([[maybe_unused]] const T* x, [[maybe_unused]] const T* w, T* o)", weights);
    add(p.weighted_hvp,
        "void weighted_hvp([[maybe_unused]] const T* x, [[maybe_unused]] const T* w, [[maybe_unused]] const T* u, T* "
        "o)",
        weights);
  } else {
    text +=
        "  template <class T>\n  SDE_DEVICE T value(const T* x) const {\n    T o;\n    value_to(x, &o);\n    return "
        "o;\n  }\n";
    add(p.value, "void value_to(const T* x, T* o)");
    add(p.hessian_vector, "void hessian_vector([[maybe_unused]] const T* x, [[maybe_unused]] const T* u, T* o)");
    add(p.third_along, "void third_along([[maybe_unused]] const T* x, [[maybe_unused]] const T* u, T* o)");
    if (!p.hessian.empty()) add(p.hessian, "void hessian([[maybe_unused]] const T* x, T* o)");
  }
  add(p.gradient, "void gradient([[maybe_unused]] const T* x, T* o)");
  if (!p.intersection.empty()) {
    add(p.intersection, "void conic([[maybe_unused]] const T* x, [[maybe_unused]] const T* u, T* o)");
    text += kIntersection;
  }
  if (!bound.test_error.empty()) text += test_error(bound);
  return text + kEnd;
}

}  // namespace sde::formula
