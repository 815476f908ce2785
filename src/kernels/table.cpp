#include "../modules/kernel_table.hpp"

#include "sde/version.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {
template <class L>
std::shared_ptr<LossModel> make_model(L loss);  // instantiated in each loss's translation unit (loss.cpp.in)
}
std::shared_ptr<LossModel> network_model(network::Network);  // network.cpp
}  // namespace sde

extern "C" [[gnu::visibility("default")]] const sde::KernelTable* sde_kernel_table() {
  using namespace sde;
  static const KernelTable table{
      kVersion,
      sizeof(KernelTable),
      SDE_REGISTER_BYTES,
      loss::Compiled::tuple<ModelMaker>([]<class L>() -> ModelMaker<L> { return make_model; }),
      {make_model, make_model, make_model},
      network_model,
      bench::floors,
      bench::linear_works};
  return &table;
}
