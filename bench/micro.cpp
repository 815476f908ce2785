// The pieces that the kernels are made of, one by one: elementary functions, random numbers, psi, the eigenproblem.
//   build/release/bench/micro --benchmark_filter=exp
#include <benchmark/benchmark.h>

#include "sde/core/functions.hpp"
#include "sde/core/symmetric_eigen.hpp"
#include "sde/random/streams.hpp"
#include "sde/slow/psi.hpp"

namespace {

using namespace sde;
using Single = Pack<float, kKernelLanes<float>>;

template <class T>
void count_lanes(benchmark::State& state, double per_iteration = lanes_of<T>) {
  state.SetItemsProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * per_iteration));
}

/// Independent arguments, so that throughput is measured and not latency.
template <class T, class F>
void elementary(benchmark::State& state, F f) {
  T x[8];
  for (int i = 0; i < 8; ++i) x[i] = T(0.1 + 0.2 * i);
  for (auto _ : state)
    for (auto& v : x) {
      benchmark::DoNotOptimize(v);
      benchmark::DoNotOptimize(f(v));
    }
  count_lanes<T>(state, 8 * lanes_of<T>);
}

template <class Stream>
void draws(benchmark::State& state) {
  Stream stream({1, 0, 0}, random::Purpose::slow, 0);
  for (auto _ : state) benchmark::DoNotOptimize(stream.next());
}
void normals(benchmark::State& state) {
  draws<random::NormalStream<Real>>(state);
  count_lanes<Real>(state);
}
void normals_float(benchmark::State& state) {
  draws<random::NormalStream<Single>>(state);
  count_lanes<Single>(state);
}
void signs(benchmark::State& state) {
  draws<random::SignStream<Real>>(state);
  count_lanes<Real>(state);
}

void eigenproblem(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  std::vector<Real> A(static_cast<std::size_t>(n * n)), Q(A.size()), start(A.size(), Real(0.0)),
      lambda(static_cast<std::size_t>(n)), work(static_cast<std::size_t>(kEigenWork * n));
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < n; ++k)
        start[i * n + j] += Real(std::sin(i * 3.7 + k * 1.3 + i * k) * std::sin(j * 3.7 + k * 1.3 + j * k));
  for (auto _ : state) {
    A = start;
    symmetric_eigen(n, A.data(), Q.data(), lambda.data(), work.data());
    benchmark::DoNotOptimize(lambda.data());
  }
  count_lanes<Real>(state);
}

template <class F>
void register_elementary(const std::string& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), [f](benchmark::State& s) { elementary<Real>(s, f); });
  benchmark::RegisterBenchmark((name + ", float").c_str(), [f](benchmark::State& s) { elementary<Single>(s, f); });
}

}  // namespace

int main(int argc, char** argv) {
  register_elementary("exp", [](const auto& x) { return exp(x); });
  register_elementary("log", [](const auto& x) { return log(x); });
  register_elementary("tanh", [](const auto& x) { return tanh(x); });
  register_elementary("sqrt", [](const auto& x) { return sqrt(x); });
  register_elementary("sin", [](const auto& x) { return sin(x); });
  register_elementary("tan", [](const auto& x) { return tan(x); });
  register_elementary("atan", [](const auto& x) { return atan(x); });
  register_elementary("sinh", [](const auto& x) { return sinh(x); });
  register_elementary("expm1", [](const auto& x) { return expm1(x); });
  register_elementary("log1p", [](const auto& x) { return log1p(x); });
  register_elementary("erf", [](const auto& x) { return erf(x); });
  register_elementary("softplus", [](const auto& x) { return softplus(x); });
  register_elementary("logcosh", [](const auto& x) { return logcosh(x); });
  register_elementary("sigmoid", [](const auto& x) { return sigmoid(x); });
  register_elementary("x^0.3", [](const auto& x) { return pow(x, 0.3); });
  register_elementary("psi", [](const auto& x) { return slow::psi(x); });
  benchmark::RegisterBenchmark("normals", normals);
  benchmark::RegisterBenchmark("normals, float", normals_float);
  benchmark::RegisterBenchmark("two-point increments", signs);
  benchmark::RegisterBenchmark("eigenproblem", eigenproblem)->Arg(2)->Arg(8)->Arg(20);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
