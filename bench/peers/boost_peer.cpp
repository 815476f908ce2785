// Peer in plain C++: Boost's normal generator, and Boost.Odeint's pattern for stochastic systems (a deterministic and a
// stochastic part, its example stochastic_euler.hpp). Prints, for a work and a number of threads, seconds, mean, and
// standard error of the sample.
#include <array>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

using State = std::array<double, 3>;

struct Linear {
  void deterministic(const State& x, State& dxdt) const {
    for (int i = 0; i < 3; ++i) dxdt[i] = 1.5 * x[i];
  }
  template <class Rng>
  void stochastic(Rng& rng, const State& x, State& out) {
    for (int i = 0; i < 3; ++i) out[i] = 0.01 * x[i] * normal(rng);
  }
  boost::random::normal_distribution<double> normal;
};

/// Odeint's example stepper: x += dt f(x) + sqrt(dt) g(x).
template <class System, class Rng>
void stochastic_euler(System& system, Rng& rng, State& x, double dt) {
  State f, g;
  system.deterministic(x, f);
  system.stochastic(rng, x, g);
  for (int i = 0; i < 3; ++i) x[i] += dt * f[i] + std::sqrt(dt) * g[i];
}

struct Sum {
  double n = 0, mean = 0, m2 = 0;
  void add(double x) {
    ++n;
    const double d = x - mean;
    mean += d / n;
    m2 += d * (x - mean);
  }
};

Sum linear(long paths, unsigned seed) {
  boost::random::mt19937 rng(seed);
  Linear system;
  Sum sum;
  for (long p = 0; p < paths; ++p) {
    State x{1, 1, 1};
    for (int s = 0; s < 256; ++s) stochastic_euler(system, rng, x, 1.0 / 256);
    sum.add(x[0]);
  }
  return sum;
}

Sum local_sgd(long paths, unsigned seed, bool ring) {
  boost::random::mt19937 rng(seed);
  boost::random::normal_distribution<double> normal;
  constexpr int K = 8, H = 20, rounds = 5;
  constexpr double eta = 0.01, a = 0.5;
  Sum sum;
  for (long p = 0; p < paths; ++p) {
    double x = ring ? 0 : 2, y = ring ? 1 : 0.5;
    for (int r = 0; r < rounds; ++r) {
      double sx = 0, sy = 0;
      for (int k = 0; k < K; ++k) {
        double u = x, v = y;
        for (int h = 0; h < H; ++h) {
          if (ring) {
            const double q = u * u + v * v - 1, c = 1 + a * u, z0 = normal(rng), z1 = normal(rng);
            const double gx = a * 0.5 * q * q + 2 * c * q * u, gy = 2 * c * q * v;
            u -= eta * (gx + 0.5 * z0 - 0.1 * z1);
            v -= eta * (gy + 1.0 * z0 + 0.6 * z1);
          } else {
            const double e = eta * (u * v - 1 + normal(rng)), w = u;
            u -= e * v;
            v -= e * w;
          }
        }
        sx += u;
        sy += v;
      }
      x = sx / K;
      y = sy / K;
    }
    sum.add(ring ? y : x);
  }
  return sum;
}

int main(int argc, char** argv) {
  if (argc < 4) return std::fprintf(stderr, "boost_peer WORK PATHS THREADS\n"), 2;
  const char* work = argv[1];
  const long paths = std::atol(argv[2]);
  const int threads = std::atoi(argv[3]);
  std::vector<Sum> sums(threads);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      const unsigned seed = 1000u + static_cast<unsigned>(t);
      sums[t] = !std::strcmp(work, "linear") ? linear(paths / threads, seed)
                                             : local_sgd(paths / threads, seed, !std::strcmp(work, "ring_sgd"));
    });
  for (auto& t : pool) t.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double n = 0, mean = 0, m2 = 0;
  for (const auto& s : sums) n += s.n, mean += s.n * s.mean, m2 += s.m2;
  std::printf("%.9g %.9g %.9g\n", seconds, mean / n, std::sqrt(m2 / n / n));
}
