#include "sde/ensemble/ranks.hpp"

#include <fmt/format.h>

#include <exception>

#include "sde/core/error.hpp"
#include "sde/ensemble/bytes.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/model/device_model.hpp"

namespace sde::ensemble {

namespace {

enum class State : char { done, stop, interrupted, failed };
enum class Error : char { input, io, device_unusable, device_failure, other };

struct Message {
  char state = 0, error = 0;
  std::string place, text, bytes;
  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& state& error& place& text& bytes;
  }
};

void describe(std::exception_ptr thrown, Message& m) {
  m.state = static_cast<char>(State::failed);
  const auto say = [&](Error error, const char* text) {
    m.error = static_cast<char>(error);
    m.text = text;
  };
  try {
    std::rethrow_exception(thrown);
  } catch (const InputError& e) {
    say(Error::input, e.what());
  } catch (const IoError& e) {
    say(Error::io, e.what());
  } catch (const DeviceUnusable& e) {
    say(Error::device_unusable, e.what());
  } catch (const DeviceFailure& e) {
    say(Error::device_failure, e.what());
  } catch (const std::exception& e) {
    say(Error::other, e.what());
  }
}

[[noreturn]] void throw_again(Error error, const std::string& text, int rank) {
  switch (error) {
    case Error::input:
      throw RankError<InputError>(text, rank);
    case Error::io:
      throw RankError<IoError>(text, rank);
    case Error::device_unusable:
      throw RankError<DeviceUnusable>(text, rank);
    case Error::device_failure:
      throw RankError<DeviceFailure>(text, rank);
    case Error::other:
      break;
  }
  throw RankError<std::runtime_error>(text, rank);
}

}  // namespace

Gathered gather(Ranks& ranks, const std::string& place, const std::function<void(std::string&)>& work,
                const std::function<bool()>& asked_to_stop) {
  Message mine;
  mine.place = place;
  try {
    work(mine.bytes);
    if (asked_to_stop && asked_to_stop()) mine.state = static_cast<char>(State::stop);
  } catch (const Interrupted&) {
    mine.state = static_cast<char>(State::interrupted);
  } catch (...) {
    describe(std::current_exception(), mine);
  }
  Gathered gathered;
  std::string apart;
  int rank = 0;
  for (const auto& bytes : ranks.all_gather(packed(mine))) {
    auto m = unpacked<Message>(bytes);
    const auto state = static_cast<State>(m.state);
    if (state == State::failed && !gathered.check)
      gathered.check = [error = static_cast<Error>(m.error), rank,
                        text = rank == 0 ? m.text : fmt::format("rank {} of {}: {}", rank, ranks.size(), m.text)] {
        throw_again(error, text, rank);
      };
    gathered.interrupted = gathered.interrupted || state == State::interrupted;
    gathered.stop = gathered.stop || state == State::stop || state == State::interrupted;
    if (m.place != place) apart = m.place;
    gathered.bytes.push_back(m.place == place ? std::move(m.bytes) : std::string());
    ++rank;
  }
  if (gathered.check) return gathered;
  gathered.check = [] {};
  if (!apart.empty())  // and whoever is elsewhere sees it, too
    gathered.check = [text = fmt::format("the ranks have come apart, at \"{}\" and \"{}\": expected the same program, "
                                         "arguments and files on every node",
                                         std::min(place, apart), std::max(place, apart))] {
      throw RankError<std::runtime_error>(text, 0);
    };
  return gathered;
}

std::string from_rank_0(Ranks* ranks, const std::string& place, const std::function<std::string()>& work) {
  if (alone(ranks)) return work();
  const auto gathered = gather(*ranks, place, [&](std::string& bytes) {
    if (leads(ranks)) bytes = work();
  });
  gathered.check();
  return gathered.bytes.front();
}

int run_on_all(Ranks* ranks, const std::function<int()>& run) {
  if (alone(ranks)) return run();
  int code = 0;
  std::exception_ptr thrown;
  try {
    code = run();
  } catch (const RankFailure&) {
    throw;
  } catch (...) {
    thrown = std::current_exception();
  }
  const auto gathered = gather(*ranks, "the end", [&](std::string& bytes) {
    if (thrown) std::rethrow_exception(thrown);
    bytes = packed(code);
  });
  gathered.check();
  return unpacked<int>(gathered.bytes.front());
}

}  // namespace sde::ensemble
