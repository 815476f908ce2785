// Running a program on numbers T. The dispatch of an instruction is paid once for all the paths of a pack.
#pragma once

#include <vector>

#include "sde/formula/operations.hpp"
#include "sde/formula/program.hpp"

namespace sde::formula {

/// The arrays of one evaluation; those that a program does not name may be null.
template <class T>
struct Arrays {
  const T *variables = nullptr, *weights = nullptr, *direction = nullptr;
  T* output = nullptr;
};

namespace detail {

template <class T>
T* slots_of(int count) {
  thread_local std::vector<T> storage;
  if (storage.size() < static_cast<std::size_t>(count)) storage.resize(static_cast<std::size_t>(count));
  return storage.data();
}

/// Where the banks of a row begin.
template <class T>
struct Banks {
  const T* from[4];  ///< slot, variable, weight, direction
  T* slots;
  T* output;
  const double* constants;
  const double* columns;

  const T& at(Place p) const { return from[p >> kBankShift][index_of(p)]; }
  T& to(Place p) const { return bank_of(p) == Bank::slot ? slots[index_of(p)] : output[index_of(p)]; }
  double scalar(Place p) const { return bank_of(p) == Bank::constant ? constants[index_of(p)] : columns[index_of(p)]; }
};

template <class T>
void run(const std::vector<Instruction>& list, const Banks<T>& k) {
  for (const Instruction& i : list) {
    T& to = k.to(i.to);
    switch (i.code) {
      case Code::add:
        to = k.at(i.a) + k.at(i.b);
        break;
      case Code::subtract:
        to = k.at(i.a) - k.at(i.b);
        break;
      case Code::multiply:
        to = k.at(i.a) * k.at(i.b);
        break;
      case Code::add_scalar:
        to = k.at(i.a) + T(k.scalar(i.b));
        break;
      case Code::scalar_minus:
        to = T(k.scalar(i.b)) - k.at(i.a);
        break;
      case Code::scale:
        to = k.at(i.a) * k.scalar(i.b);
        break;
      case Code::fill:
        to = T(k.scalar(i.b));
        break;
      case Code::accumulate:
        to = to + k.at(i.a);
        break;
      case Code::copy:
        to = k.at(i.a);
        break;
      case Code::negate:
        to = -k.at(i.a);
        break;
      case Code::inverse:
        to = T(1.0) / k.at(i.a);
        break;
      case Code::sqrt:
        to = sqrt(k.at(i.a));
        break;
      case Code::non_negative:
        to = formula::non_negative(k.at(i.a));
        break;
      case Code::exp:
        to = exp(k.at(i.a));
        break;
      case Code::log:
        to = log(k.at(i.a));
        break;
      case Code::sin:
        to = sin(k.at(i.a));
        break;
      case Code::cos:
        to = cos(k.at(i.a));
        break;
      case Code::tan:
        to = tan(k.at(i.a));
        break;
      case Code::sinh:
        to = sinh(k.at(i.a));
        break;
      case Code::cosh:
        to = cosh(k.at(i.a));
        break;
      case Code::tanh:
        to = tanh(k.at(i.a));
        break;
      case Code::atan:
        to = atan(k.at(i.a));
        break;
      case Code::erf:
        to = erf(k.at(i.a));
        break;
      case Code::softplus:
        to = softplus(k.at(i.a));
        break;
      case Code::logcosh:
        to = logcosh(k.at(i.a));
        break;
      case Code::sigmoid:
        to = sigmoid(k.at(i.a));
        break;
      case Code::relu:
        to = relu(k.at(i.a));
        break;
      case Code::step:
        to = select(k.at(i.a) > T(0.0), T(1.0), T(0.0));
        break;
    }
  }
}

}  // namespace detail

/// Runs a program whose rows have `weights_per_row` weights.
template <class T>
void evaluate(const Program& program, const Numbers& numbers, int weights_per_row, const Arrays<T>& arrays) {
  T* const slots = detail::slots_of<T>(program.slots);
  detail::Banks<T> banks{{slots, arrays.variables, arrays.weights, arrays.direction},
                         slots,
                         arrays.output,
                         numbers.constants.data(),
                         numbers.columns.data()};
  detail::run(program.once, banks);
  if (program.row.empty()) return;
  for (int r = 0; r < numbers.rows; ++r) {
    detail::run(program.row, banks);
    banks.columns += numbers.per_row;
    if (banks.from[2]) banks.from[2] += weights_per_row;
    banks.output += program.row_outputs;
  }
}

}  // namespace sde::formula
