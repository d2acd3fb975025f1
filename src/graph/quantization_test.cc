#include "graph/quantization.h"

#include <gtest/gtest.h>

namespace concertina {
namespace {

TEST(Quantization, HasTheZeroPointOfItsSign) {
  EXPECT_EQ(quantization_of({0, 51}), (Quantization{51.0F / 255, 0}));
  EXPECT_EQ(quantization_of({-1, 127}), (Quantization{1, 128}));
  EXPECT_EQ(quantization_of({-256, 127}), (Quantization{2, 128}));
  EXPECT_EQ(quantization_of({-128, 0}), (Quantization{1, 128}));
  EXPECT_EQ(quantization_of({0, 0}), (Quantization{1, 0}));
}

TEST(Quantization, ValuesThatAreZeroButForNoiseCostNoSign) {
  EXPECT_EQ(quantization_of({-1e-3F, 10}), (Quantization{.scale = 10.0F / 255, .zero_point = 0}));
  EXPECT_EQ(quantization_of({-0.1F, 10}).zero_point, 128);
}

}  // namespace
}  // namespace concertina
