// libFuzzer's target for what ranks tell each other: a first byte says how many messages there are, the rest are they.
// Whatever they are, a gathering ends with a result or an error that both ranks would throw.
#include <stdexcept>
#include <string>
#include <vector>

#include "sde/ensemble/bytes.hpp"
#include "sde/ensemble/groups.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/ensemble/ranks.hpp"

using namespace sde;
using namespace sde::ensemble;

namespace {

/// Rank 0 of two: the other says what the input has for each gathering in turn, and nothing more after that.
class Hostile final : public Ranks {
 public:
  explicit Hostile(std::string bytes) : bytes_(std::move(bytes)) {}
  int rank() const override { return 0; }
  int size() const override { return 2; }
  std::vector<std::string> all_gather(const std::string& mine) override {
    if (++gatherings_ > 100) throw std::runtime_error("the other rank does not end");
    std::size_t length = bytes_.size() - at_;
    if (length >= 2) {
      const auto wanted = static_cast<unsigned char>(bytes_[at_]) + 256u * static_cast<unsigned char>(bytes_[at_ + 1]);
      at_ += 2;
      length = std::min<std::size_t>(bytes_.size() - at_, wanted);
    }
    const auto other = bytes_.substr(at_, length);
    at_ += length;
    // As it is, or as the bytes of a message from the place where this rank is.
    if (!other.empty() && other[0] == '+') {
      std::string message = mine;
      message.replace(message.size() - std::min<std::size_t>(message.size(), other.size() - 1), std::string::npos,
                      other.substr(1));
      return {mine, message};
    }
    return {mine, other};
  }

 private:
  const std::string bytes_;
  std::size_t at_ = 0;
  int gatherings_ = 0;
};

template <class Call>
void refused_or_done(Call call) {
  try {
    call();
  } catch (const std::runtime_error&) {
  } catch (const Interrupted&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  refused_or_done([&] { unpacked<MethodState>(bytes); });
  refused_or_done([&] {
    Hostile ranks(bytes);
    Control control;
    control.ranks = &ranks;
    MethodState state;
    state.total.values.assign(2, std::vector<stats::Moments>(3));
    distribute<GroupState>(
        control, {0, 3}, 1,
        [](GroupRange range, auto take, auto) {
          for (long g = range.first; g < range.last; ++g) take(g, GroupState{});
        },
        [&](long g, GroupState group) { state.add(g, std::move(group), 3 * kGroupBlocks); });
  });
  refused_or_done([&] {
    Hostile ranks(bytes);
    run_on_all(&ranks, [] { return 0; });
    from_rank_0(&ranks, "a place", [] { return std::string("x"); });
  });
  return 0;
}
