#include "capi/structs.h"

#include "capi/testing.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;

/// A struct of a later version of the library, with a field more.
template <typename Struct>
struct Newer {
  Struct known;
  std::int64_t added;
};

template <typename Struct>
Newer<Struct> newer() {
  Newer<Struct> value{};
  value.known.struct_size = sizeof value;
  return value;
}

TEST(CStructs, HaveNoUnusedBytesAtTheirEnd) {
  // A field put there later would not change the size, and an older program's rubbish would be read.
  const auto ends_with = [](const auto& value, const auto& last) {
    const auto* end = reinterpret_cast<const char*>(&value) + sizeof value;
    return reinterpret_cast<const char*>(&last) + sizeof last == end;
  };
  const concertina_model_options model{};
  EXPECT_TRUE(ends_with(model, model.cache));
  const concertina_subnet_info subnet{};
  EXPECT_TRUE(ends_with(subnet, subnet.width));
  const concertina_image_info image{};
  EXPECT_TRUE(ends_with(image, image.reserved));
  const concertina_tensor_info tensor{};
  EXPECT_TRUE(ends_with(tensor, tensor.probabilities));
  const concertina_session_options session{};
  EXPECT_TRUE(ends_with(session, session.max_batch));
  const concertina_adaptive_options adaptive{};
  EXPECT_TRUE(ends_with(adaptive, adaptive.plan));
  const concertina_budget budget{};
  EXPECT_TRUE(ends_with(budget, budget.min_accuracy));
  const concertina_answer answer{};
  EXPECT_TRUE(ends_with(answer, answer.in_time));
  const concertina_machine machine{};
  EXPECT_TRUE(ends_with(machine, machine.slow_down));
  const concertina_rules_options rules{};
  EXPECT_TRUE(ends_with(rules, rules.reserved));
  const concertina_rule rule{};
  EXPECT_TRUE(ends_with(rule, rule.reserved));
  const concertina_cascade_options cascade{};
  EXPECT_TRUE(ends_with(cascade, cascade.latency_table));
  const concertina_cascade_budget cascade_budget{};
  EXPECT_TRUE(ends_with(cascade_budget, cascade_budget.quantile));
  const concertina_cascade_answer cascade_answer{};
  EXPECT_TRUE(ends_with(cascade_answer, cascade_answer.reserved));
  const concertina_scheduler_options scheduler{};
  EXPECT_TRUE(ends_with(scheduler, scheduler.reserve));
  const concertina_scheduled scheduled{};
  EXPECT_TRUE(ends_with(scheduled, scheduled.in_time));
}

TEST(CStructs, AreReadWithTheirSize) {
  auto given = sized<concertina_budget>();
  given.deadline_ms = 8;
  concertina_budget read;
  EXPECT_TRUE(capi::read_struct("budget", &given, read));
  EXPECT_EQ(read.deadline_ms, 8);
  EXPECT_TRUE(capi::read_struct<concertina_budget>("budget", nullptr, read));
  EXPECT_EQ(read.deadline_ms, 0);
}

TEST(CStructs, WithoutASizeAreMisuse) {
  for (const std::size_t size : {std::size_t{0}, sizeof(concertina_budget) - 1, std::size_t{1} << 40}) {
    concertina_budget given{};
    given.struct_size = size;
    concertina_budget read;
    const capi::Outcome outcome = capi::read_struct("budget", &given, read);
    EXPECT_EQ(outcome.status(), CONCERTINA_MISUSED) << size;
    EXPECT_THAT(outcome.message(), HasSubstr("'budget'"));
  }
}

TEST(CStructs, OfANewerProgramAreTakenWhileTheyAskForNothingNew) {
  auto given = newer<concertina_budget>();
  given.known.quantile = 0.5;
  concertina_budget read;
  EXPECT_TRUE(capi::read_struct("budget", &given.known, read));
  EXPECT_EQ(read.quantile, 0.5);
  given.added = 1;
  const capi::Outcome outcome = capi::read_struct("budget", &given.known, read);
  EXPECT_EQ(outcome.status(), CONCERTINA_FAILED);
  EXPECT_THAT(outcome.message(), HasSubstr("does not know"));
}

TEST(CStructs, AreWrittenAsFarAsBothKnowThem) {
  auto result = newer<concertina_answer>();
  result.added = 7;
  capi::write_struct({.struct_size = 0,
                      .subnet = 3,
                      .accuracy = 0.5,
                      .predicted_ms = 1,
                      .actual_ms = 2,
                      .fits = 1,
                      .in_time = 1},
                     &result.known);
  EXPECT_EQ(result.known.struct_size, sizeof result);
  EXPECT_EQ(result.known.subnet, 3);
  EXPECT_EQ(result.known.in_time, 1);
  EXPECT_EQ(result.added, 0);

  concertina_answer shorter{};
  shorter.struct_size = offsetof(concertina_answer, in_time);
  shorter.in_time = 5;
  capi::write_struct({.struct_size = 0,
                      .subnet = 3,
                      .accuracy = 0.5,
                      .predicted_ms = 1,
                      .actual_ms = 2,
                      .fits = 1,
                      .in_time = 1},
                     &shorter);
  EXPECT_EQ(shorter.fits, 1);
  EXPECT_EQ(shorter.in_time, 5);
}

// A program of before these structs had all their fields.
TEST(CStructs, OfAnOlderProgramAreTaken) {
  concertina_subnet_info older{};
  older.struct_size = offsetof(concertina_subnet_info, height);
  older.height = 7;
  EXPECT_TRUE(capi::check_size("info", older));
  concertina_subnet_info value{};
  value.macs = 5;
  value.height = value.width = 24;
  capi::write_struct(value, &older);
  EXPECT_EQ(older.macs, 5);
  EXPECT_EQ(older.height, 7);

  concertina_model_options options{};  // of before there was a cache
  options.struct_size = offsetof(concertina_model_options, cache);
  options.cache = "rubbish";
  concertina_model_options read;
  EXPECT_TRUE(capi::read_struct("options", &options, read));
  EXPECT_EQ(read.cache, nullptr);
}

}  // namespace
}  // namespace concertina::testing
