// What a kernel module gives: everything that is compiled once for each instruction set. A module is a shared object
// with all symbols hidden but sde_kernel_table, so that no function compiled for a newer processor can stand in for one
// of the program's. src/experiment/kernels.cpp chooses the module when the program runs.
#pragma once

#include "../bench/work.hpp"
#include "../experiment/losses.hpp"

namespace sde {

struct KernelTable {
  const char* version;  ///< of the project, and the table's size: modules of another build are refused
  unsigned long size;
  int register_bytes;
  std::shared_ptr<LossModel> (*valley)(loss::Valley);
  std::shared_ptr<LossModel> (*hyperbola)(loss::Hyperbola);
  std::shared_ptr<LossModel> (*chain)(loss::Chain);
  std::shared_ptr<LossModel> (*sphere)(loss::Sphere);
  std::shared_ptr<LossModel> (*ring)(loss::Ring);
  std::shared_ptr<LossModel> (*flat)(loss::Flat);
  std::shared_ptr<LossModel> (*diagonal_network)(loss::DiagonalNetwork);
  std::shared_ptr<LossModel> (*tanh_network)(loss::TanhNetwork);
  std::shared_ptr<LossModel> (*matrix_sensing)(loss::MatrixSensing);
  std::vector<bench::Work> (*floors)();
  std::vector<bench::Work> (*linear_works)();
};

}  // namespace sde

extern "C" const sde::KernelTable* sde_kernel_table();
