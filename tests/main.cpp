// main() of the tests. In a build that has the kernels of some losses alone (CMake's SDE_COMPILED_LOSSES), a test case
// that meets another loss ends with LossLeftOut: it is counted as skipped, and named, where nothing else failed in it.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "../src/modules/models.hpp"

namespace {

int left_out = 0;

struct LeftOutCases final : doctest::IReporter {
  explicit LeftOutCases(const doctest::ContextOptions&) {}
  void test_case_start(const doctest::TestCaseData& in) override {
    name_ = in.m_name;
    met_ = false;
  }
  void test_case_exception(const doctest::TestCaseException& in) override {
    met_ = met_ || std::string(in.error_string.c_str()).find(kMark) == 0;
  }
  void test_case_end(const doctest::CurrentTestCaseStats& in) override {
    using namespace doctest::TestCaseFailureReason;
    if (!met_ || in.numAssertsFailedCurrentTest != 0 || (in.failure_flags & ~Exception) != 0) return;
    ++left_out;
    std::printf("skipped, for a loss that this build has not: %s\n", name_);
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& in) override { failed = in.numTestCasesFailed; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

  static constexpr const char* kMark = "left out: ";
  static inline unsigned failed = 0;

 private:
  const char* name_ = "";
  bool met_ = false;
};
REGISTER_LISTENER("left_out", 1, LeftOutCases);

doctest::String translate_left_out(const sde::LossLeftOut& e) {
  return doctest::String(LeftOutCases::kMark) + e.what();
}
const int translated = (doctest::registerExceptionTranslator<const sde::LossLeftOut&>(translate_left_out), 0);

}  // namespace

int main(int argc, char** argv) {
  static_cast<void>(translated);
  const int status = doctest::Context(argc, argv).run();
  if (left_out == 0) return status;
  std::printf("%d test cases skipped\n", left_out);
  return LeftOutCases::failed > static_cast<unsigned>(left_out) ? status : 0;
}
