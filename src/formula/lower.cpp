#include <algorithm>
#include <cmath>
#include <limits>

#include "sde/formula/program.hpp"

namespace sde::formula {

namespace {

/// What a node's value depends on.
enum class Depends { constants, columns, theta, theta_and_row };

std::size_t at(Id id) { return static_cast<std::size_t>(id); }

Depends level(const Graph& g, Id id, const std::vector<Depends>& levels, bool by_row) {
  const Node& n = g[id];
  if (n.op == Op::constant) return Depends::constants;
  if (n.op == Op::input) {
    switch (n.source) {
      case Source::parameter:
        return Depends::constants;
      case Source::column:
        return Depends::columns;
      case Source::weight:
        return by_row ? Depends::theta_and_row : Depends::theta;
      default:
        return Depends::theta;
    }
  }
  const Depends a = levels[at(n.first)];
  if (operand_count(n.op) == 1) return a;
  const Depends b = levels[at(n.second)], least = std::min(a, b), most = std::max(a, b);
  return most == Depends::theta && least == Depends::columns ? Depends::theta_and_row : most;
}

/// An instruction whose result is a number of its own: places in Bank::slot are numbers of such results, once and row
/// together, until registers are assigned.
class Emitter {
 public:
  Emitter(Graph& g, Scalars& scalars, bool by_row) : g_(g), scalars_(scalars), by_row_(by_row) {}

  void run(const std::vector<Output>& outputs, Program& program) {
    std::vector<Id> roots;
    for (const auto& o : outputs) roots.push_back(o.root);
    // Nodes that are made on the way are scalars: the pass does not meet them.
    const auto needed = reachable(g_, roots);
    levels_.resize(needed.size());
    places_.resize(needed.size());
    for (Id id = 0; id < static_cast<Id>(needed.size()); ++id) {
      if (!needed[at(id)]) continue;
      levels_[at(id)] = level(g_, id, levels_, by_row_);
      if (levels_[at(id)] >= Depends::theta) places_[at(id)] = emit(id);
    }
    for (const auto& o : outputs) put_out(o);
    assign_slots(program);
  }

 private:
  struct Step {
    Instruction instruction;
    int result;  ///< its number; -1 of an output
  };
  std::vector<Step>& list(bool row) { return row ? row_ : once_; }

  Place scalar(Id id, Depends depends) {
    auto& index = depends == Depends::constants ? scalars_.constant_index : scalars_.column_index;
    auto& all = depends == Depends::constants ? scalars_.constants : scalars_.columns;
    const auto [entry, fresh] = index.emplace(id, static_cast<int>(all.size()));
    if (fresh) all.push_back(id);
    return place(depends == Depends::constants ? Bank::constant : Bank::column, entry->second);
  }

  Place result(Code code, bool row, Place a, Place b = 0) {
    const auto key = std::make_tuple(code, a, b);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    const Place to = place(Bank::slot, results_++);
    list(row).push_back({{code, to, a, b}, static_cast<int>(index_of(to))});
    known_.emplace(key, to);
    return to;
  }

  Place emit(Id id) {
    const Node n = g_[id];
    const bool row = levels_[at(id)] == Depends::theta_and_row;
    if (n.op == Op::input)
      return place(n.source == Source::variable ? Bank::variable
                   : n.source == Source::weight ? Bank::weight
                                                : Bank::direction,
                   n.first);
    const Place a = places_[at(n.first)];
    if (n.op == Op::power) return power(a, n.value, row);
    if (operand_count(n.op) == 1) return result(code_of(n.op), row, a);
    const Depends left = levels_[at(n.first)], right = levels_[at(n.second)];
    if (left >= Depends::theta && right >= Depends::theta) return result(code_of(n.op), row, a, places_[at(n.second)]);
    const bool first = left < Depends::theta;  // is the scalar
    const Id s = first ? n.first : n.second;
    const Place t = first ? places_[at(n.second)] : a;
    const Depends depends = first ? left : right;
    if (n.op == Op::multiply) return result(Code::scale, row, t, scalar(s, depends));
    if (n.op == Op::add) return result(Code::add_scalar, row, t, scalar(s, depends));
    if (first) return result(Code::scalar_minus, row, t, scalar(s, depends));
    return result(Code::add_scalar, row, t, scalar(g_.negate(s), depends));
  }

  static Code code_of(Op op) {
    switch (op) {
      case Op::add:
        return Code::add;
      case Op::subtract:
        return Code::subtract;
      case Op::multiply:
        return Code::multiply;
      case Op::negate:
        return Code::negate;
      case Op::non_negative:
        return Code::non_negative;
      default:
        return static_cast<Code>(static_cast<int>(Code::exp) + static_cast<int>(op) - static_cast<int>(kFirstFunction));
    }
  }

  /// a^n by multiplications, n > 0.
  Place whole_power(Place a, unsigned n, bool row) {
    Place square = a, product = 0;
    bool begun = false;
    for (;; n >>= 1) {
      if (n & 1u) product = begun ? result(Code::multiply, row, product, square) : square;
      begun = begun || (n & 1u);
      if (n <= 1) return product;
      square = result(Code::multiply, row, square, square);
    }
  }
  /// a^p: by multiplications and a root where 2p is a whole number, else exp(p log a).
  Place power(Place a, double p, bool row) {
    constexpr double kMost = 1024;
    const double doubled = std::abs(2 * p);
    if (doubled != std::floor(doubled) || doubled > kMost) {
      const Place logarithm = result(Code::log, row, a);
      return result(Code::exp, row, result(Code::scale, row, logarithm, scalar(g_.constant(p), Depends::constants)));
    }
    const bool whole = p == std::floor(p);
    const Place root = whole ? a : result(Code::sqrt, row, a);
    if (p < 0) return whole_power(result(Code::inverse, row, root), static_cast<unsigned>(whole ? -p : doubled), row);
    if (whole) return whole_power(a, static_cast<unsigned>(p), row);
    if (p < 1) return root;
    return result(Code::multiply, row, whole_power(a, static_cast<unsigned>(std::floor(p)), row), root);
  }

  void put_out(const Output& o) {
    const Place to = place(Bank::output, o.index);
    const Depends depends = levels_[at(o.root)];
    const bool is_scalar = depends < Depends::theta;
    const bool in_row = by_row_ && (o.sum || depends == Depends::columns || depends == Depends::theta_and_row);
    if (o.sum && by_row_) {
      once_.push_back({{Code::fill, to, 0, scalar(g_.constant(0), Depends::constants)}, -1});
      if (g_.is_constant(o.root, 0)) return;
      const Place what = is_scalar ? result(Code::fill, true, 0, scalar(o.root, depends)) : places_[at(o.root)];
      row_.push_back({{Code::accumulate, to, what, 0}, -1});
    } else if (is_scalar) {
      list(in_row).push_back({{Code::fill, to, 0, scalar(o.root, depends)}, -1});
    } else {
      list(in_row).push_back({{Code::copy, to, places_[at(o.root)], 0}, -1});
    }
  }

  static bool reads_b(Code c) { return c == Code::add || c == Code::subtract || c == Code::multiply; }
  static bool reads_a(Code c) { return c != Code::fill; }

  /// Results get slots, which are free again after their last use; what the rows use of what was computed once, never.
  void assign_slots(Program& program) {
    constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> last(static_cast<std::size_t>(results_), 0);
    const auto uses = [&](const Step& s, auto use) {
      const auto& i = s.instruction;
      if (reads_a(i.code) && bank_of(i.a) == Bank::slot) use(i.a);
      if (reads_b(i.code) && bank_of(i.b) == Bank::slot) use(i.b);
    };
    const std::size_t rows_begin = once_.size();
    for (std::size_t k = 0; k < once_.size(); ++k) uses(once_[k], [&](Place p) { last[index_of(p)] = k; });
    std::vector<bool> made_once(static_cast<std::size_t>(results_), false);
    for (const auto& s : once_)
      if (s.result >= 0) made_once[at(s.result)] = true;
    for (std::size_t k = 0; k < row_.size(); ++k)
      uses(row_[k], [&](Place p) { last[index_of(p)] = made_once[index_of(p)] ? kForever : rows_begin + k; });

    std::vector<int> slot(static_cast<std::size_t>(results_), -1), free;
    int slots = 0;
    const auto assign = [&](const std::vector<Step>& steps, std::size_t first, std::vector<Instruction>& out) {
      for (std::size_t k = 0; k < steps.size(); ++k) {
        Instruction i = steps[k].instruction;
        std::vector<Place> done;
        uses(steps[k], [&](Place p) {
          if (last[index_of(p)] == first + k && (done.empty() || done.front() != p)) done.push_back(p);
        });
        if (reads_a(i.code) && bank_of(i.a) == Bank::slot) i.a = place(Bank::slot, slot[index_of(i.a)]);
        if (reads_b(i.code) && bank_of(i.b) == Bank::slot) i.b = place(Bank::slot, slot[index_of(i.b)]);
        for (const Place p : done) free.push_back(slot[index_of(p)]);
        if (steps[k].result >= 0) {
          if (free.empty()) free.push_back(slots++);
          slot[at(steps[k].result)] = free.back();
          free.pop_back();
          i.to = place(Bank::slot, slot[at(steps[k].result)]);
        }
        out.push_back(i);
      }
    };
    assign(once_, 0, program.once);
    assign(row_, rows_begin, program.row);
    program.slots = slots;
  }

  Graph& g_;
  Scalars& scalars_;
  const bool by_row_;
  std::vector<Depends> levels_;
  std::vector<Place> places_;
  std::vector<Step> once_, row_;
  std::map<std::tuple<Code, Place, Place>, Place> known_;
  int results_ = 0;
};

}  // namespace

Program lower(Graph& g, Scalars& scalars, const std::vector<Output>& outputs, bool by_row, int row_outputs) {
  Program program;
  program.row_outputs = row_outputs;
  Emitter(g, scalars, by_row).run(outputs, program);
  return program;
}

}  // namespace sde::formula
