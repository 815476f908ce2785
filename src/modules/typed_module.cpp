#include "typed_module.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "devices.hpp"
#include "sde/core/error.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/formula/source.hpp"
#include "sde/version.hpp"

namespace sde {

namespace {

/// Runs that end before would not gain anything.
double seconds_before_compiling() {
  constexpr double kSeconds = 5;
  const char* own = std::getenv("SDE_COMPILE_AFTER");
  return own ? std::atof(own) : kSeconds;
}

ModuleSources sources_of(const formula::BoundLoss& bound, Precision precision, const std::string& rule) {
  const char* number = precision == Precision::single ? "float" : "double";
  ModuleSources s;
  s.headers.push_back({"loss", formula::source_of(bound)});
  for (const char* part : {"discrete", "slow"})
    s.units.push_back({part, fmt::format("#define SDE_COMPILED_RULE \"{}\"\n"
                                         "#include \"loss.hpp\"\n#include \"sde/model/make_typed_kernels.hpp\"\n"
                                         "extern \"C\" [[gnu::visibility(\"default\")]] const void* sde_typed_{}() {{\n"
                                         "  return sde::{}_typed_kernels<sde::loss::Typed, {}>();\n}}\n",
                                         rule, part, part, number)});
  return s;
}

template <class Table>
const Table* table_of(void* module, const char* name) {
  const auto symbol = reinterpret_cast<const void* (*)()>(dlsym(module, name));
  const auto* table = symbol ? static_cast<const Table*>(symbol()) : nullptr;
  return table && std::string(table->version) == kVersion && table->size == sizeof(Table) ? table : nullptr;
}

}  // namespace

std::shared_ptr<const DeviceModel> typed_device_model(const formula::BoundLoss& bound) {
  ModuleSources s;
  s.headers.push_back({"loss", formula::source_of(bound)});
  s.units.push_back({"device",
                     "#include \"device_model.cuh\"\n#include \"loss.hpp\"\n"
                     "extern \"C\" [[gnu::visibility(\"default\")]] void sde_typed_device(\n"
                     "    const sde::formula::BoundLoss& bound, std::shared_ptr<const sde::DeviceModel>& model) {\n"
                     "  model = sde::gpu::make_device_model(sde::loss::Typed(bound));\n}\n"});
  for (const auto& device : cuda().devices().all)
    if (const auto name = fmt::format("{}{}", device.major, device.minor);
        std::find(s.cuda.begin(), s.cuda.end(), name) == s.cuda.end())
      s.cuda.push_back(name);
  const std::atomic<bool> stop{false};
  std::string problem;
  void* module = nullptr;
  try {
    const auto file = module_cache() / (module_key(s) + ".so");
    module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module) problem = compile_module(s, file, stop);
    if (!module && problem.empty()) module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module && problem.empty()) problem = dlerror();
  } catch (const IoError& e) {
    problem = e.what();
  }
  using Make = void (*)(const formula::BoundLoss&, std::shared_ptr<const DeviceModel>&);
  const auto make = module ? reinterpret_cast<Make>(dlsym(module, "sde_typed_device")) : nullptr;
  if (!make) throw DeviceUnusable("the formula cannot be compiled for a GPU: " + problem);
  std::shared_ptr<const DeviceModel> model;
  make(bound, model);
  return model;
}

Compile compile_policy() {
  const char* value = std::getenv("SDE_COMPILE");
  const std::string policy = value && *value ? value : "background";
  if (policy == "never") return Compile::never;
  if (policy == "background") return Compile::background;
  if (policy == "wait") return Compile::wait;
  throw InputError(
      fmt::format("SDE_COMPILE={}: unknown{}", policy, suggestion(policy, {"never", "background", "wait"})));
}

TypedModule::TypedModule(std::shared_ptr<const formula::BoundLoss> bound, Precision precision, const std::string& rule)
    : bound_(std::move(bound)), policy_(compile_policy()) {
  if (policy_ == Compile::never) return;
  sources_ = sources_of(*bound_, precision, rule);
  try {
    file_ = module_cache() / (module_key(sources_) + ".so");
    load(file_);
  } catch (const IoError& e) {
    problem_ = e.what();
    begun_ = true;
  }
}

TypedModule::~TypedModule() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

const TypedKernels* TypedModule::ready() {
  const auto* kernels = ready_.load(std::memory_order_acquire);
  if (kernels || policy_ == Compile::never) return kernels;
  if (policy_ == Compile::background) {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - made_;
    if (!begun_ && since.count() >= seconds_before_compiling()) begin();
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  if (!begun_.exchange(true)) compile();
  if (!ready_) throw IoError("a formula cannot be compiled: " + problem_ + "; SDE_COMPILE=never runs it without");
  return ready_;
}

void TypedModule::begin() {
  const std::lock_guard lock(mutex_);
  if (!begun_.exchange(true)) thread_ = std::thread([this] { compile(); });
}

void TypedModule::compile() {
  try {
    problem_ = compile_module(sources_, file_, stop_);
    if (problem_.empty() && !stop_ && !load(file_)) problem_ = file_.string() + ": does not load";
  } catch (const std::exception& e) {
    problem_ = e.what();
  }
}

bool TypedModule::load(const std::filesystem::path& file) {
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) return false;
  kernels_ = {table_of<DiscreteTypedKernels>(module, "sde_typed_discrete"),
              table_of<SlowTypedKernels>(module, "sde_typed_slow")};
  if (!kernels_.discrete || !kernels_.slow) return false;
  ready_.store(&kernels_, std::memory_order_release);
  return true;
}

}  // namespace sde
