// Ranks by MPI. Its errors end all ranks (MPI_ERRORS_ARE_FATAL, the default).
#include <mpi.h>

#include <algorithm>
#include <cstdint>

#include "../modules/ranks_table.hpp"
#include "sde/version.hpp"

namespace sde::mpi {

namespace {

class MpiRanks final : public ensemble::Ranks {
 public:
  MpiRanks() {
    int given = 0;  // threads work beside the one that calls MPI
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~MpiRanks() override { MPI_Finalize(); }
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::vector<std::string> all_gather(const std::string& mine) override {
    std::vector<std::uint64_t> lengths(static_cast<std::size_t>(size_));
    const std::uint64_t length = mine.size();
    MPI_Allgather(&length, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, MPI_COMM_WORLD);
    std::vector<std::string> all(lengths.size());
    constexpr std::uint64_t kChunk = 1u << 30;  // MPI counts with int
    for (int r = 0; r < size_; ++r) {
      auto& bytes = all[static_cast<std::size_t>(r)];
      bytes = r == rank_ ? mine : std::string(lengths[static_cast<std::size_t>(r)], '\0');
      for (std::uint64_t at = 0; at < bytes.size(); at += kChunk)
        MPI_Bcast(bytes.data() + at, static_cast<int>(std::min(kChunk, bytes.size() - at)), MPI_BYTE, r,
                  MPI_COMM_WORLD);
    }
    return all;
  }

 private:
  int rank_ = 0, size_ = 1;
};

std::string library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string all(text);
  return all.substr(0, all.find_first_of(",\n"));
}

std::unique_ptr<ensemble::Ranks> start() { return std::make_unique<MpiRanks>(); }

}  // namespace

}  // namespace sde::mpi

extern "C" __attribute__((visibility("default"))) const sde::mpi::RanksTable* sde_ranks_table() {
  static const sde::mpi::RanksTable table{sde::kVersion, sizeof(sde::mpi::RanksTable), sde::mpi::library,
                                          sde::mpi::start};
  return &table;
}
