// The kernels of a formula, compiled while its program is run as it stands (formula/source.hpp, typed_kernels.hpp).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "compiler.hpp"
#include "sde/model/typed_kernels.hpp"

namespace sde {

/// When a formula is compiled, by the environment variable SDE_COMPILE.
enum class Compile : std::uint8_t {
  never,
  background,  ///< once a run has lasted some seconds (the default); modules that are in the cache are used at once
  wait         ///< before the first step
};
/// Throws InputError for another value.
Compile compile_policy();

struct TypedKernels {
  const DiscreteTypedKernels* discrete;
  const SlowTypedKernels* slow;
};

/// A formula's kernels for the GPUs of this machine, compiled by nvcc unless the cache has them. Throws DeviceUnusable.
std::shared_ptr<const DeviceModel> typed_device_model(const formula::BoundLoss&);

/// The module of one formula in one precision, for algorithms with one update rule: that of the algorithm named `rule`
/// (discrete/shared_rules.hpp). All members may be called from any thread.
class TypedModule {
 public:
  TypedModule(std::shared_ptr<const formula::BoundLoss> bound, Precision precision, const std::string& rule);
  TypedModule(const TypedModule&) = delete;
  ~TypedModule();

  /// The kernels, where they are there by now. Null before, and for ever where compiling fails. Throws IoError where
  /// the policy is to wait and it failed.
  const TypedKernels* ready();
  const formula::BoundLoss& bound() const { return *bound_; }

 private:
  void begin();
  void compile();
  bool load(const std::filesystem::path& file);

  const std::shared_ptr<const formula::BoundLoss> bound_;
  const Compile policy_;
  const std::chrono::steady_clock::time_point made_ = std::chrono::steady_clock::now();
  ModuleSources sources_;
  std::filesystem::path file_;
  TypedKernels kernels_{};
  std::atomic<const TypedKernels*> ready_{nullptr};
  std::atomic<bool> begun_{false}, stop_{false};
  std::mutex mutex_;
  std::string problem_;
  std::thread thread_;
};

}  // namespace sde
