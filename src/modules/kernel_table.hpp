// What a kernel module gives: everything that is compiled once for each instruction set. A module is a shared object
// with all symbols hidden but sde_kernel_table, so that no function compiled for a newer processor can stand in for one
// of the program's. kernels.cpp chooses the module when the program runs.
#pragma once

#include "sde/loss/built_in.hpp"
#include "sde/loss/formula.hpp"
#include "sde/model/model.hpp"
#include "sde/network/network.hpp"
#include "work.hpp"

namespace sde {

template <class L>
using ModelMaker = std::shared_ptr<LossModel> (*)(L);

/// Models of formulas: of one residual, of several, of any other loss.
struct FormulaMakers {
  ModelMaker<loss::FormulaResidual> one;
  ModelMaker<loss::FormulaResiduals<kDynamic>> residuals;
  ModelMaker<loss::FormulaValue> value;
};

struct KernelTable {
  const char* version;  ///< of the project, and the table's size: modules of another build are refused
  unsigned long size;
  int register_bytes;
  loss::Compiled::Tuple<ModelMaker> models;
  FormulaMakers formulas;
  std::shared_ptr<LossModel> (*network)(network::Network);
  std::vector<bench::Work> (*floors)();
  std::vector<bench::Work> (*linear_works)();
};

}  // namespace sde

extern "C" const sde::KernelTable* sde_kernel_table();
