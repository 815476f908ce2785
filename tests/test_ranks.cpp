// Several ranks end with the bits of one process: ensembles, pairs, levels; interrupted and gone on with by another
// number of ranks; and where one of them fails all stop. Threads stand in for processes.
#include <doctest/doctest.h>

#include "fake_ranks.hpp"
#include "problems.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/ensemble/groups.hpp"
#include "sde/verify/multilevel.hpp"
#include "sde/verify/paired.hpp"

using namespace sde;
using namespace sde::test;
using ensemble::packed;
using ensemble::unpacked;

namespace {

/// A rank's threads: not the same number for all.
ensemble::Control control_on(ensemble::Ranks& ranks) { return {.threads = 1 + ranks.rank() % 2, .ranks = &ranks}; }

constexpr long kPaths = 5 * ensemble::kGroupPaths + 700;  // the last group is a part of one, as is its last block

/// A problem of which some paths get lost.
Problem wild() { return problem_of(loss::Hyperbola{}, constant({3.0, 0, 0, 3.0}, 2), {2.0, 0.5}); }
Method method(Kind kind) {
  Method m = slow_method(kind, 2, 2, 0.2, 0.05, kPaths);
  m.algorithm.rate.eta = 0.15;
  m.algorithm.sync.H = 4;
  return m;
}
const Observation kTimes = at({0, 0.2, 0.4}, {"x1^2 - x2^2"}, 2);

verify::Pairing pairing() {
  verify::Pairing p;
  p.algorithm = {.workers = 2, .batch = 4, .seed = 7};
  p.algorithm.rate.eta = 0.05;
  p.algorithm.sync.H = 4;
  p.predictions = {verify::theory(p.algorithm)};
  p.times = {0.1};
  p.dt = 0.05;
  p.functions = {verify::coordinate(0), verify::sharpness()};
  p.paths = kPaths;
  return p;
}
Problem ring() { return problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1}); }

verify::Hierarchy levels(const Problem& p, const ensemble::Control& control) {
  return verify::levels_in_dt(p, {.batch = 4}, verify::coordinate(0), 0.1, 2, 2, 3, control);
}

void check_all(const std::vector<OfRank>& all, const std::string& alone) {
  for (const auto& r : all) {
    CHECK(r.error == "");
    CHECK(r.result == alone);
  }
}

}  // namespace

TEST_CASE("every group is some rank's, once") {
  for (const auto& shares : std::vector<std::vector<long>>{{1, 1, 1}, {3, 1}, {256, 256, 7}})
    for (const long groups : {1l, 2l, 3l, 4l}) {
      long next = 10;
      for (int r = 0; r < static_cast<int>(shares.size()); ++r) {
        const auto range = ensemble::share_of({10, 10 + groups}, shares, r);
        CHECK(range.first == next);
        next = range.last;
      }
      CHECK(next == 10 + groups);
    }
}

namespace {

/// Rank 0 of two, whose other hands in what it is told to.
class Hostile final : public ensemble::Ranks {
 public:
  explicit Hostile(std::vector<std::string> told) : told_(std::move(told)) {}
  int rank() const override { return 0; }
  int size() const override { return 2; }
  std::vector<std::string> all_gather(const std::string& mine) override { return {mine, told_.at(next_++)}; }

 private:
  std::vector<std::string> told_;
  std::size_t next_ = 0;
};
/// As Message of ranks.cpp: state, error, place, text, bytes.
std::string message(const std::string& place, const std::string& bytes) {
  return std::string(2, 0) + packed(place) + packed(std::string()) + packed(bytes);
}
void distribute_with(std::vector<std::string> told, ensemble::MethodState& state) {
  Hostile ranks(std::move(told));
  ensemble::Control control;
  control.ranks = &ranks;
  ensemble::distribute<ensemble::GroupState>(
      control, {0, 2}, 1,
      [&](ensemble::GroupRange range, auto take, auto) {
        for (long g = range.first; g < range.last; ++g)
          take(g, {.merged = ensemble::kGroupBlocks, .part = state.total, .unfinished = {}});
      },
      [&](long g, ensemble::GroupState group) { state.add(g, std::move(group), 2 * ensemble::kGroupBlocks); });
}

}  // namespace

TEST_CASE("a rank that hands in what makes no sense is refused, by what was expected") {
  for (const long share : {0l, -1l, 1l << 40}) {
    ensemble::MethodState state;
    CHECK_THROWS_WITH(distribute_with({message("shares", packed(share))}, state), doctest::Contains("expected 1 to"));
  }
  ensemble::MethodState state;
  state.total.values.assign(2, std::vector<stats::Moments>(3));
  ensemble::GroupState other{.merged = ensemble::kGroupBlocks, .part = state.total, .unfinished = {}};
  const auto group_1 = [&] { return message("groups 0 to 2 of 2", packed(1l) + packed(other)); };
  distribute_with({message("shares", packed(1l)), group_1()}, state);
  CHECK(state.merged == 2);
  state.merged = 0;
  other.part.values.pop_back();
  CHECK_THROWS_WITH(distribute_with({message("shares", packed(1l)), group_1()}, state),
                    doctest::Contains("group 1 of paths has other observations"));
}

TEST_CASE("what is packed comes out again, and not from half of it") {
  Method m = method(Kind::local_sgd);
  m.paths = 40;
  ensemble::MethodState state;
  ensemble::resume(wild(), m, kTimes, kTwoThreads, state);
  auto& block = state.begun[3].unfinished[800];
  block.x = {1, 2};
  block.previous = {Vector::Ones(3), Vector()};
  block.part = state.total;
  const auto bytes = packed(state);
  CHECK(packed(unpacked<ensemble::MethodState>(bytes)) == bytes);
  CHECK_THROWS_WITH(unpacked<ensemble::MethodState>(bytes.substr(0, bytes.size() / 2)), doctest::Contains("cut short"));
  // What the fuzzer found: more numbers than an array of constant size has would be written behind it.
  const auto many = packed(std::vector<double>(64, 1.0));
  CHECK_THROWS_WITH((unpacked<std::array<double, 2>>(many)), doctest::Contains("cut short"));
  CHECK(unpacked<std::array<double, 64>>(many)[63] == 1);
  // A count that has no room is refused before memory is asked for.
  CHECK_THROWS_WITH(unpacked<std::vector<double>>(packed(std::uint64_t{1} << 60)), doctest::Contains("cut short"));
}

TEST_CASE("a total is that of its groups, each merged by itself") {
  const Problem p = ring();
  const auto h = levels(p, kTwoThreads);
  const long g = ensemble::kGroupPaths;
  auto groups = h.sample(1, 0, g);
  groups.merge(h.sample(1, g, g));
  groups.merge(h.sample(1, 2 * g, 100));
  CHECK(packed(groups) == packed(h.sample(1, 0, 2 * g + 100)));
}

TEST_CASE("an ensemble by several ranks is that of one process, bit for bit") {
  const Problem p = wild();
  for (const auto kind : {Kind::local_sgd, Kind::slow_local_sgd}) {
    const Method m = method(kind);
    const auto result = ensemble::run(p, m, kTimes, {.threads = 1});
    if (kind == Kind::local_sgd) CHECK(result.lost > 0);
    CHECK(result.samples.back()[0].size() == static_cast<std::size_t>(MethodResult::kQuantilePaths));
    const auto alone = packed(result);
    CHECK(packed(ensemble::run(p, m, kTimes, {.threads = 3})) == alone);
    for (const int size : {2, 3, 8})  // 8: more than there are groups
      check_all(on_ranks(size, [&](auto& r) { return packed(ensemble::run(p, m, kTimes, control_on(r))); }), alone);
  }
}

TEST_CASE("pairs and levels by several ranks are those of one process, bit for bit") {
  const Problem p = ring();
  const auto pairs = packed(verify::run_paired(p, pairing(), kTwoThreads));
  check_all(on_ranks(3, [&](auto& r) { return packed(verify::run_paired(p, pairing(), control_on(r))); }), pairs);
  const auto both = [&](const ensemble::Control& control) {
    const auto h = levels(p, control);
    return packed(h.sample(0, 0, kPaths)) + packed(h.sample(1, 512, kPaths));
  };
  check_all(on_ranks(3, [&](auto& r) { return both(control_on(r)); }), both(kTwoThreads));
}

TEST_CASE("an interruption of one rank stops all, and any number of ranks goes on from there with the same bits") {
  const Problem p = wild();
  for (const auto kind : {Kind::local_sgd, Kind::slow_local_sgd}) {
    const Method m = method(kind);
    const auto alone = packed(ensemble::run(p, m, kTimes, {.threads = 2}));
    ensemble::MethodState state;
    // Rank `who` of `size` is interrupted when `part` is done.
    const auto interrupted = [&](int size, int who, double part) {
      const auto from = packed(state);
      const auto all = on_ranks(size, [&](auto& r) {
        auto mine = unpacked<ensemble::MethodState>(from);
        std::atomic<bool> stop{false};
        auto control = control_on(r);
        control.threads = 2;
        control.interrupted = &stop;
        control.progress = [&](double fraction) {
          if (r.rank() == who && fraction > part) stop = true;
        };
        return ensemble::resume(p, m, kTimes, control, mine) ? "not interrupted" : packed(mine);
      });
      for (const auto& r : all) {
        CHECK(r.error == "");
        CHECK(r.result == all[0].result);
      }
      REQUIRE(all[0].result != "not interrupted");
      state = unpacked<ensemble::MethodState>(all[0].result);
    };
    interrupted(3, 1, 0.1);
    CHECK(state.merged < 6);
    CHECK(!state.begun.empty());  // rank 1's group, begun; and that of rank 2, whole
    interrupted(2, 0, 0.7);
    CHECK(state.merged < 6);
    SUBCASE("two ranks") {
      check_all(on_ranks(2,
                         [&](auto& r) {
                           auto mine = unpacked<ensemble::MethodState>(packed(state));
                           CHECK(ensemble::resume(p, m, kTimes, control_on(r), mine));
                           return packed(mine.total);
                         }),
                alone);
    }
    SUBCASE("one process") {
      CHECK(ensemble::resume(p, m, kTimes, {.threads = 3}, state));
      CHECK(packed(state.total) == alone);
      CHECK(state.begun.empty());
    }
  }
  const auto all = on_ranks(3, [&](auto& r) -> std::string {
    const std::atomic<bool> stop{r.rank() == 2};
    auto control = control_on(r);
    control.interrupted = &stop;
    try {
      verify::run_paired(ring(), pairing(), control);
    } catch (const ensemble::Interrupted&) {
      return "interrupted";
    }
    return "not interrupted";
  });
  check_all(all, "interrupted");
}

TEST_CASE("an exception of one rank is thrown by all, as what it is") {
  const Problem p = wild();
  const Method m = method(Kind::local_sgd);
  for (const auto& work : std::vector<std::function<void(const ensemble::Control&)>>{
           [&](const auto& c) { ensemble::run(p, m, kTimes, c); },
           [&](const auto& c) { verify::run_paired(ring(), pairing(), c); },
           [&](const auto& c) {
             const Problem q = ring();
             levels(q, c).sample(1, 0, kPaths);
           }}) {
    const auto all = on_ranks(3, [&](auto& r) -> std::string {
      auto control = control_on(r);
      if (r.rank() == 1) control.progress = [](double) { throw DeviceFailure("it is broken"); };
      try {
        work(control);
      } catch (const DeviceFailure& e) {
        return e.what();
      }
      return "nothing";
    });
    check_all(all, "rank 1 of 3: it is broken");
  }
}

TEST_CASE("an exception between two gatherings reaches the ranks that are in one") {
  const Problem p = wild();
  const Method m = method(Kind::local_sgd);
  const auto all = on_ranks(3, [&](auto& r) -> std::string {
    try {
      return std::to_string(ensemble::run_on_all(&r, [&]() -> int {
        if (r.rank() == 2) throw InputError("no such file");
        ensemble::run(p, m, kTimes, control_on(r));
        return 0;
      }));
    } catch (const InputError& e) {
      return dynamic_cast<const ensemble::RankFailure*>(&e) ? e.what() : "unknown to the others";
    }
  });
  check_all(all, "rank 2 of 3: no such file");
}

TEST_CASE("the exit code of all is rank 0's, and only it does what is done once") {
  std::atomic<int> calls{0};
  const auto all = on_ranks(3, [&](auto& r) {
    return std::to_string(ensemble::run_on_all(&r, [&] {
      CHECK(ensemble::from_rank_0(&r, "a file", [&] { return ++calls, "read"; }) == "read");
      return 40 + r.rank();
    }));
  });
  check_all(all, "40");
  CHECK(calls == 1);
}

TEST_CASE("ranks at different places are told so") {
  const auto all = on_ranks(2, [](auto& r) {
    gather(r, r.rank() == 0 ? "here" : "there", [](auto&) {}).check();
    return std::string();
  });
  for (const auto& r : all) CHECK(r.error.find("come apart, at \"here\" and \"there\"") != std::string::npos);
}
