#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cli.hpp"

namespace sde::cli {

bool color() {
  const char* no = std::getenv("NO_COLOR");
  return isatty(2) && !(no && *no);
}

Progress::Progress(bool quiet) : on_(!quiet && isatty(2)) {}

void Progress::show(double fraction, const std::string& what) {
  if (!on_) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(100) && fraction < 1) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left = fraction > 0.01 ? elapsed * (1 - fraction) / fraction : 0;
  constexpr int kWidth = 30;
  const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth);
  fmt::print(stderr, "\r{}[{}{}]{} {:3.0f}% {}  {}\x1b[K", color() ? "\x1b[32m" : "",
             std::string(static_cast<std::size_t>(filled), '#'),
             std::string(static_cast<std::size_t>(kWidth - filled), '.'), color() ? "\x1b[0m" : "", 100 * fraction,
             fraction > 0.01 ? fmt::format("{:.0f} s left", std::ceil(left)) : "", what);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace sde::cli
