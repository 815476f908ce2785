#include "table.hpp"

#include "sde/version.hpp"

extern "C" [[gnu::visibility("default")]] const sde::KernelTable* sde_kernel_table() {
  using namespace sde;
  static const KernelTable table{kVersion,           sizeof(KernelTable),
                                 SDE_REGISTER_BYTES, model_of,
                                 model_of,           model_of,
                                 model_of,           model_of,
                                 model_of,           model_of,
                                 model_of,           model_of,
                                 bench::floors,      bench::linear_works};
  return &table;
}
