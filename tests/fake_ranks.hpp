// Ranks without MPI: threads of the test in the place of processes.
#pragma once

#include <barrier>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "sde/ensemble/ranks.hpp"

namespace sde::test {

struct Board {
  explicit Board(int size) : meet(size), handed_in(static_cast<std::size_t>(size)) {}
  std::barrier<> meet;
  std::vector<std::string> handed_in;
};

class FakeRank final : public ensemble::Ranks {
 public:
  FakeRank(Board& board, int rank) : board_(board), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(board_.handed_in.size()); }
  std::vector<std::string> all_gather(const std::string& mine) override {
    board_.handed_in[static_cast<std::size_t>(rank_)] = mine;
    board_.meet.arrive_and_wait();
    auto all = board_.handed_in;
    board_.meet.arrive_and_wait();
    return all;
  }

 private:
  Board& board_;
  const int rank_;
};

/// What a rank gave: a result, or the text of what it threw.
struct OfRank {
  std::string result, error;
};

/// run(rank) on each of `size` ranks at a time.
inline std::vector<OfRank> on_ranks(int size, const std::function<std::string(ensemble::Ranks&)>& run) {
  Board board(size);
  std::vector<OfRank> all(static_cast<std::size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (int r = 0; r < size; ++r)
      threads.emplace_back([&, r] {
        FakeRank me(board, r);
        auto& mine = all[static_cast<std::size_t>(r)];
        try {
          mine.result = run(me);
        } catch (const std::exception& e) {
          mine.error = e.what();
        }
      });
  }
  return all;
}

}  // namespace sde::test
