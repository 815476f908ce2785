// What the methods of compared experiments come to: each is run once, when it is first asked for.
#pragma once

#include <map>
#include <utility>

#include "claim.hpp"
#include "comparing.hpp"

namespace sde::claims {

/// A mean over paths and its standard error; of an ODE, which has one path, that is 0.
struct Mean {
  double value = 0, error = 0;
};
/// The ratio of independent means.
Mean over(const Mean&, const Mean&);

/// A method's result.
struct Observed {
  std::string name;
  ensemble::MethodResult result;
  bool one_path = false;

  /// At observation number `time`.
  Mean at(std::size_t time, const std::string& observable) const;
  /// First slow time at which the line through the observations has passed `level`; not a number where it never does.
  double time_at(double level, const std::string& observable) const;
};

/// Runs the methods. Each draws noise of its own, so that errors of two of them are independent.
class Results {
 public:
  Results(int claim, const Setting&, const Compared&, Measured&);

  /// A method of a cell, observed as the file says.
  const Observed& of(std::size_t cell, std::size_t method);
  /// A method that is none of the file's, at slow times of its own (ascending, from 0).
  Observed other(std::size_t cell, const ensemble::Method&, const std::vector<double>& times);

 private:
  Observed run(std::size_t cell, ensemble::Method, const std::vector<double>& times, int number);
  const int claim_;
  const Setting& setting_;
  const Compared& compared_;
  Measured& measured_;
  std::map<std::pair<std::size_t, std::size_t>, Observed> known_;
  int next_;  ///< number of the next run that is none of a method of the file
};

/// A row's numbers: `found` held against `expected`, as their ratio against 1, or `absolute` as they are.
void hold(Row&, const Mean& found, const Mean& expected, bool absolute);
/// Gradients and lost paths of what a row stands on.
void account(Row&, const std::vector<const Observed*>&);

}  // namespace sde::claims
