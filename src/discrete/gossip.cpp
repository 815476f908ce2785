#include "sde/discrete/gossip.hpp"

#include <fmt/format.h>

#include "sde/core/error.hpp"
#include "sde/slow/linear_algorithms.hpp"

namespace sde::discrete {

namespace {

const std::vector<std::string> kGraphs{"ring", "torus", "complete", "given"};
constexpr std::size_t kGiven = 3;

std::size_t graph_of(const Algorithm& a) { return static_cast<std::size_t>(a.parameters.at(0)); }

Eigen::MatrixXd mixing(const Algorithm& a) {
  const int K = a.workers;
  switch (graph_of(a)) {
    case 0:
      return slow::ring_of(K);
    case 1:
      return slow::torus_of(K);
    case 2:
      return slow::complete(K);
    default:
      return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
          a.parameters.data() + 2, K, K);
  }
}

}  // namespace

std::string Gossip::label(const Algorithm& a) const {
  const auto times = a.parameters.at(1);
  return fmt::format("Gossip, {} of {}{}", graph_of(a) == kGiven ? "graph" : kGraphs[graph_of(a)], a.workers,
                     times > 1 ? fmt::format(", {:g} times", times) : "");
}

void Gossip::read(Keys& keys, Algorithm& a, bool) const {
  const auto graph = keys.choice(
      {"graph", "of workers: equal weights of a worker and its neighbours, or a given matrix"}, "ring", kGraphs);
  const double number = static_cast<double>(std::find(kGraphs.begin(), kGraphs.end(), graph) - kGraphs.begin());
  const long times = keys.integer({"mixings", "times that iterates are exchanged between gradients"}, 1, 1, 1000);
  const auto W = keys.numbers({"mixing", "of graph = given: a doubly stochastic matrix, K x K, row by row"});
  a.parameters = {number, static_cast<double>(times)};
  const auto all = static_cast<std::size_t>(a.workers) * static_cast<std::size_t>(a.workers);
  if (graph == "given") {
    if (W.size() != all) keys.fail("mixing", fmt::format("expected workers^2 = {} numbers, got {}", all, W.size()));
    a.parameters.insert(a.parameters.end(), W.begin(), W.end());
  } else if (!W.empty()) {
    keys.fail("mixing", fmt::format("belongs to graph = \"given\", here it is \"{}\"", graph));
  }
  try {
    matrices(a);
  } catch (const InputError& e) {
    keys.fail(graph == "given" ? "mixing" : "graph", e.what());
  }
}

void Gossip::check(const Algorithm& a) const {
  const auto all = static_cast<std::size_t>(a.workers) * static_cast<std::size_t>(a.workers);
  const bool known = a.parameters.size() >= 2 && graph_of(a) <= kGiven && a.parameters[1] >= 1;
  if (!known || a.parameters.size() != (graph_of(a) == kGiven ? 2 + all : 2))
    refuse("parameters", "expected gossip's graph, mixings and, where it is given, the K x K matrix",
           static_cast<std::int64_t>(a.parameters.size()));
  matrices(a);
}

slow::LinearAlgorithm Gossip::matrices(const Algorithm& a) const {
  return slow::gossip(1, 1, mixing(a), static_cast<int>(a.parameters.at(1)));
}

}  // namespace sde::discrete
