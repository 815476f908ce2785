// Every built-in loss with a name, and points near its Gamma.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "../src/modules/models.hpp"
#include "sde/core/error.hpp"

namespace sde::test {

template <class L>
struct Case {
  std::string name;
  L loss;
  std::vector<double> start;
};

/// Gives the defaults, whole numbers of at most 4: tests go through d x d matrices.
class Small final : public Keys {
 public:
  bool has(const std::string&) const override { return false; }
  double number(Key, double otherwise) override { return otherwise; }
  double positive(Key, double otherwise) override { return otherwise; }
  double non_negative(Key, double otherwise) override { return otherwise; }
  double between(Key, double otherwise, double, double) override { return otherwise; }
  double fraction(Key, double otherwise) override { return otherwise; }
  long integer(Key, long otherwise, long least, long most) override {
    return std::clamp(std::min(otherwise, 4L), least, most);
  }
  bool boolean(Key, bool otherwise) override { return otherwise; }
  std::string choice(Key, const std::string& otherwise, const std::vector<std::string>&) override { return otherwise; }
  std::string text(Key, const std::string& otherwise) override { return otherwise; }
  std::vector<double> numbers(Key) override { return {}; }
  std::vector<std::string> texts(Key) override { return {}; }
  [[noreturn]] void fail(const std::string& key, const std::string& complaint) const override {
    throw InputError(key + ": " + complaint);
  }
};

/// Of a loss that says nothing here: small, and near where it starts.
template <class L>
std::vector<Case<L>> cases_of(L*) {
  Small keys;
  auto [loss, start] = L::make(keys);
  const auto apart = loss::normal_data(7, 7, loss.dim());
  for (std::size_t k = 0; k < start.size(); ++k) start[k] += 0.1 * apart[k];
  return {{L::name, loss, start}};
}
inline std::vector<Case<loss::Valley>> cases_of(loss::Valley*) {
  return {{"valley, quadratic", {}, {0.6, 0.1}},
          {"valley, exponential", {loss::Valley::Profile::exponential, 0.7}, {0.6, 0.1}}};
}
inline std::vector<Case<loss::Hyperbola>> cases_of(loss::Hyperbola*) { return {{"hyperbola", {}, {1.5, 0.7}}}; }
inline std::vector<Case<loss::Chain>> cases_of(loss::Chain*) {
  return {{"chain, D = 2", {2}, {1.4, 0.8}}, {"chain, D = 4", {4}, {1.4, 0.8, -1.1, -0.9}}};
}
inline std::vector<Case<loss::Sphere>> cases_of(loss::Sphere*) {
  return {{"sphere, d = 2", {2}, {0.8, 0.7}}, {"sphere, d = 5", {5}, {0.5, 0.5, -0.5, 0.3, 0.3}}};
}
inline std::vector<Case<loss::Ring>> cases_of(loss::Ring*) { return {{"ring", {0.5}, {0.5, 0.9}}}; }
inline std::vector<Case<loss::Flat>> cases_of(loss::Flat*) {
  return {{"flat", loss::Flat(2, 4, 3), {0.3, -0.2, 0.1, 0.5}}};
}
inline std::vector<Case<loss::DiagonalNetwork>> cases_of(loss::DiagonalNetwork*) {
  return {{"diagonal network", loss::DiagonalNetwork(3, 4, 1, 5), {1.0, 0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7}}};
}
inline std::vector<Case<loss::TanhNetwork>> cases_of(loss::TanhNetwork*) {
  return {{"tanh network", loss::TanhNetwork(3, 2, 3, 1, 5), {0.9, -0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7, -0.4}}};
}
inline std::vector<Case<loss::MatrixSensing>> cases_of(loss::MatrixSensing*) {
  return {{"matrix sensing", loss::MatrixSensing(3, 3, 2, 1, 5), {0.9, 0.5, 0.4, -0.6, 0.8, 0.5}}};
}

/// Calls use(name, loss, start[d]) for every built-in loss: those of the list in cmake/losses.cmake.
template <class Use>
void for_each_loss(Use use) {
  loss::BuiltIn::for_each([&]<class L>() {
    for (const auto& c : cases_of(static_cast<L*>(nullptr))) use(c.name.c_str(), c.loss, c.start);
  });
}
/// The same for each as it describes itself: small, near its default start.
template <class Use>
void for_each_described_loss(Use use) {
  loss::BuiltIn::for_each([&]<class L>() {
    for (const auto& c : cases_of<L>(static_cast<L*>(nullptr))) use(c.name.c_str(), c.loss, c.start);
  });
}

}  // namespace sde::test
