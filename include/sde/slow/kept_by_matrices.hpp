// Things that are made of matrices once and kept for the process's lifetime: kernels hold pointers into them.
#pragma once

#include <Eigen/Core>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "sde/slow/linear_algorithm.hpp"

namespace sde::slow {

/// The bytes of what something is made of.
class MatrixKey {
 public:
  MatrixKey& add(const Eigen::MatrixXd& m) {
    const Eigen::Index shape[] = {m.rows(), m.cols()};
    text_.append(reinterpret_cast<const char*>(shape), sizeof shape);
    text_.append(reinterpret_cast<const char*>(m.data()), static_cast<std::size_t>(m.size()) * sizeof(double));
    return *this;
  }
  MatrixKey& add(double number) { return add(Eigen::MatrixXd::Constant(1, 1, number)); }
  /// The consensus and the steps.
  MatrixKey& add(const LinearAlgorithm& a) {
    add(Eigen::MatrixXd(a.consensus));
    for (const auto& step : a.period)
      for (const auto* m : {&step.A, &step.C, &step.R}) add(*m);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// One object for each key. From any thread.
template <class T>
class KeptByMatrices {
 public:
  /// That of the key; make() gives a unique_ptr to it where there is none, and may throw.
  template <class Make>
  const T& get(const MatrixKey& key, Make make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = all_.find(key.text()); found != all_.end()) return *found->second;
    return *all_.emplace(key.text(), make()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<T>> all_;
};

}  // namespace sde::slow
