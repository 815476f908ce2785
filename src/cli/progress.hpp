// A progress bar on a terminal's standard error, with an estimate of the time left; nothing in a pipe or with --quiet.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

namespace sde::cli {

class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress() { clear(); }
  /// `fraction` of everything is done, now at `what`.
  void show(double fraction, const std::string& what);
  void clear();

 private:
  const bool on_;
  bool drawn_ = false;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_{};
  std::mutex mutex_;
};

}  // namespace sde::cli
