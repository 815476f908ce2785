// Peer in plain C++: Boost's generators and Boost.Odeint, Eigen's eigenproblems. Prints, for a work and a number of
// threads, seconds, mean, and standard error of the sample. ARRAYS is a file of X, y and start, each its length and its
// numbers.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "diagonal_slow.hpp"
#include "flow.hpp"
#include "linear.hpp"
#include "local_sgd.hpp"
#include "slow.hpp"

namespace {

const std::map<std::string, std::function<Sum(const Share&)>> kWorks = {
    {"linear", linear},
    {"ring_sde", slow_curve<RingAngle>},
    {"valley_sde", slow_curve<ValleyU>},
    {"hyperbola_sde", slow_curve<HyperbolaLog>},
    {"sphere_sde", slow_sphere},
    {"diagonal_sde", diagonal_slow},
    {"ring_sgd", [](const Share& s) { return local_sgd_toy(s, true); }},
    {"hyperbola_sgd", [](const Share& s) { return local_sgd_toy(s, false); }},
    {"diagonal_sgd", local_sgd_network<Diagonal>},
    {"tanh_sgd", local_sgd_network<Tanh>},
    {"ring_flow", ring_flow},
    {"diagonal_flow", diagonal_flow},
    {"diagonal_terms", diagonal_terms},
};

bool read(const char* file, Arrays& arrays) {
  std::ifstream in(file);
  for (auto* values : {&arrays.X, &arrays.y, &arrays.start}) {
    std::size_t count = 0;
    in >> count;
    values->resize(count);
    for (double& v : *values) in >> v;
  }
  return static_cast<bool>(in);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::fprintf(stderr, "boost_peer WORK PATHS THREADS [ARRAYS]\n"), 2;
  const auto work = kWorks.find(argv[1]);
  if (work == kWorks.end()) {
    std::fprintf(stderr, "boost_peer: %s is no work; expected one of", argv[1]);
    for (const auto& [name, run] : kWorks) std::fprintf(stderr, " %s", name.c_str());
    return std::fprintf(stderr, "\n"), 2;
  }
  Arrays arrays;
  if (argc > 4 && !read(argv[4], arrays))
    return std::fprintf(stderr, "boost_peer: %s: expected X, y and start, each its length and its numbers\n", argv[4]),
           2;
  const long paths = std::atol(argv[2]);
  const int threads = std::atoi(argv[3]);
  std::vector<Sum> sums(threads);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      const long first = paths * t / threads, end = paths * (t + 1) / threads;
      sums[t] = work->second({first, end - first, 1000u + static_cast<unsigned>(t), arrays});
    });
  for (auto& t : pool) t.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Sum all;
  for (const auto& s : sums) {
    const double n = all.n + s.n, delta = s.mean - all.mean;
    all.m2 += s.m2 + delta * delta * all.n * s.n / n;
    all.mean += delta * s.n / n;
    all.n = n;
  }
  std::printf("%.9g %.15g %.9g\n", seconds, all.mean, std::sqrt(all.m2) / all.n);
}
