#include "quantization/histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantization/testing.h"

namespace concertina::quantization {
namespace {

TEST(Histogram, DependsNeitherOnTheOrderNorOnTheBatch) {
  std::vector<float> values = bell(5000);
  const Histogram whole = histogram_of(values, values.size());
  EXPECT_EQ(whole.total(), 5000);
  for (const std::size_t batch : {1u, 7u, 64u}) {
    std::reverse(values.begin(), values.end());
    const Histogram parts = histogram_of(values, batch);
    EXPECT_EQ(parts.ends(), whole.ends());
    EXPECT_TRUE(std::ranges::equal(parts.counts(), whole.counts())) << batch;
  }
}

TEST(Histogram, HasExactEndsAndEqualBins) {
  std::vector<float> values;
  for (int i = 0; i < 2 * Histogram::kBins; ++i) values.push_back(static_cast<float>(i) - 100);
  const Histogram histogram = histogram_of(values);
  EXPECT_EQ(histogram.ends(), (Interval{-100, 2 * Histogram::kBins - 101}));
  for (const std::int64_t count : histogram.counts()) EXPECT_NEAR(static_cast<double>(count), 2, 1);
  EXPECT_EQ(histogram.edge(0), -100);
  EXPECT_NEAR(histogram.edge(Histogram::kBins), 2 * Histogram::kBins - 101, 1e-9);
}

TEST(Histogram, HoldsWhatIsAllTheSameOrAsLargeAsCanBe) {
  const Histogram same = histogram_of({3, 3, 3});
  EXPECT_EQ(same.width(), 0);
  EXPECT_EQ(same.counts()[0], 3);
  const float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  const Histogram wide = histogram_of({-most, most, 0});
  EXPECT_EQ(wide.total(), 3);
  EXPECT_EQ(wide.counts()[Histogram::kBins - 1], 1);
  EXPECT_EQ(histogram_of({0, least}).total(), 2);
  // The sign of zero would depend on the order.
  EXPECT_FALSE(std::signbit(histogram_of({-0.0F}).ends().low));
}

TEST(Histogram, NamesAValueThatIsNotFinite) {
  for (const std::size_t place : {0u, 20u, 49u}) {
    std::vector<float> values(50, 1.0F);
    values[place] = -INFINITY;
    Ends ends;
    EXPECT_FALSE(ends.add(std::vector<float>{2}));
    EXPECT_EQ(ends.add(values), -INFINITY);
    values[place] = NAN;
    EXPECT_TRUE(ends.add(values));
    EXPECT_EQ(ends.interval(), (Interval{2, 2}));
  }
}

}  // namespace
}  // namespace concertina::quantization
