// How blocks of paths become one total with bits that depend neither on threads nor on ranks: a group's blocks are
// merged in their order, and the groups in theirs. Threads take blocks, ranks take groups; here is who does which.
#pragma once

#include <fmt/format.h>

#include <numeric>

#include "sde/ensemble/bytes.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/ensemble/ranks.hpp"

namespace sde::ensemble {

/// Of a rank in one turn: what more would be is no share, but a message of something else.
inline constexpr long kMostGroupsOfTurn = 1'000'000;

/// Groups `first` .. `last` - 1.
struct GroupRange {
  long first, last;
};
/// What rank `rank` does of a turn of groups: its share of them, in the order of the ranks.
inline GroupRange share_of(GroupRange turn, const std::vector<long>& shares, int rank) {
  const auto begin = shares.begin();
  const long all = std::accumulate(begin, shares.end(), 0l), before = std::accumulate(begin, begin + rank, 0l);
  const long groups = turn.last - turn.first;
  return {turn.first + groups * before / all,
          turn.first + groups * (before + shares[static_cast<std::size_t>(rank)]) / all};
}

/// Divides the groups among the ranks, and calls merge(g, T) for every one on every rank, in their order. Of
/// compute(range, take, progress) a rank gets its groups; it calls take(g, T) for each that it has something of, and
/// progress(part of the range). In each turn a rank has at most `share` groups, for the memory's sake: the ranks gather
/// what they have, merge it, and stop together if one was interrupted or has failed. Alone, all are one range, merged
/// as they are taken. Throws Interrupted, and what compute throws (on all ranks: RankError); what was taken is merged
/// then.
template <class T, class Compute, class Merge>
void distribute(const Control& control, GroupRange groups, long share, Compute compute, Merge merge) {
  const auto progress = [&](GroupRange range) {
    return [&control, range, count = groups.last](double part) {
      control.progress((static_cast<double>(range.first) + part * static_cast<double>(range.last - range.first)) /
                       static_cast<double>(count));
    };
  };
  if (alone(control.ranks)) return compute(groups, merge, progress(groups));

  Ranks& ranks = *control.ranks;
  const auto told = gather(ranks, "shares", [&](std::string& bytes) { bytes = packed(share); });
  told.check();
  std::vector<long> shares;
  for (const auto& bytes : told.bytes) {
    shares.push_back(unpacked<long>(bytes));
    if (shares.back() < 1 || shares.back() > kMostGroupsOfTurn)
      throw std::runtime_error(
          fmt::format("rank {} would take {} groups of paths at once: expected 1 to {}: the same "
                      "program on every node",
                      shares.size() - 1, shares.back(), kMostGroupsOfTurn));
  }
  const long at_once = std::accumulate(shares.begin(), shares.end(), 0l);
  while (groups.first < groups.last) {
    const GroupRange turn{groups.first, std::min(groups.last, groups.first + at_once)};
    const auto gathered = gather(
        ranks, fmt::format("groups {} to {} of {}", turn.first, turn.last, groups.last),
        [&](std::string& bytes) {
          Packer out(bytes);
          compute(
              share_of(turn, shares, ranks.rank()), [&](long g, const T& group) { out& g& group; }, progress(turn));
        },
        [&] { return control.stopping() || control.pausing(); });
    for (const auto& bytes : gathered.bytes)
      for (Unpacker from(bytes); !from.empty();) {
        long g = 0;
        T group;
        from& g& group;
        merge(g, std::move(group));
      }
    gathered.check();
    groups.first = turn.last;
    if (gathered.interrupted || (gathered.stop && groups.first < groups.last)) throw Interrupted();
  }
}

/// A function of (b, what is known of block b), to be called for b = from .. to - 1 in this order: begin(g) is a group
/// before its first block, reduce(group, b, part) adds one and returns false where an interruption has left it
/// unfinished (so does the function), and take(g, group) gets each group that is complete.
template <class T, class Begin, class Reduce, class Take, class Progress>
auto reducing(long from, long to, Begin begin, Reduce reduce, Take take, Progress progress) {
  return [=, group = T()](long b, auto part) mutable {
    const long g = b / kGroupBlocks;
    if (b == g * kGroupBlocks) group = begin(g);
    const bool finished = reduce(group, b, std::move(part));
    progress(static_cast<double>(b + 1 - from) / static_cast<double>(to - from));
    if (b + 1 == to || b + 1 == (g + 1) * kGroupBlocks) take(g, std::move(group));
    return finished;
  };
}

/// distribute() on the CPU's threads, for `blocks` blocks from group number `first` on: compute(b) by several threads,
/// then begin() and reduce() as above.
template <class T, class Begin, class Compute, class Reduce, class Merge>
void over_groups(const Control& control, long first, long blocks, Begin begin, Compute compute, Reduce reduce,
                 Merge merge) {
  constexpr int kThreadsOfGroup = 16;  // they wait for each other at its end: 16 blocks for each are enough
  distribute<T>(
      control, {first, groups_of(blocks)}, 1 + control.threads / kThreadsOfGroup,
      [&](GroupRange range, auto take, auto progress) {
        const long from = range.first * kGroupBlocks, to = std::min(blocks, range.last * kGroupBlocks);
        auto add = reducing<T>(from, to, begin, reduce, take, progress);
        bool finished = true;
        parallel_ordered(from, to, control.threads, compute,
                         [&](long b, auto part) { finished = add(b, std::move(part)) && finished; });
        if (!finished) throw Interrupted();
      },
      merge);
}

}  // namespace sde::ensemble
