#include "data/npy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

std::string npy(std::string_view type, std::string_view shape, std::string_view values, int version = 1,
                std::string_view order = "False") {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type, order, shape);
  header.resize((header.size() + 16) / 16 * 16, ' ');
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(version), 0};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(header.size() >> 8 * i);
  return bytes + header + std::string(values);
}

template <typename Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

TEST(ParseNpy, ReadsNumbersOfEveryKind) {
  const auto floats = parse_npy(npy("<f4", "(2, 3)", bytes_of<float>({1, -2, 3.5, 4, 5, 6})));
  ASSERT_TRUE(floats) << floats.error().message;
  EXPECT_THAT(floats->shape, ElementsAre(2, 3));
  EXPECT_THAT(floats->values, ElementsAre(1, -2, 3.5, 4, 5, 6));
  EXPECT_THAT(parse_npy(npy("<f8", "(1,)", bytes_of<double>({-7.25}), 2))->values, ElementsAre(-7.25));
  EXPECT_THAT(parse_npy(npy("|u1", "(2,)", "\xff\x01", 3))->values, ElementsAre(255, 1));
  EXPECT_THAT(parse_npy(npy("|i1", "(1,)", "\xff"))->values, ElementsAre(-1));
  EXPECT_THAT(parse_npy(npy("|b1", "(1,)", "\x01"))->values, ElementsAre(1));
  EXPECT_THAT(parse_npy(npy("<i2", "(1,)", bytes_of<std::int16_t>({-300})))->values, ElementsAre(-300));
  EXPECT_THAT(parse_npy(npy("<u2", "(1,)", bytes_of<std::uint16_t>({60000})))->values, ElementsAre(60000));
  EXPECT_THAT(parse_npy(npy("<i4", "(1,)", bytes_of<std::int32_t>({-70000})))->values, ElementsAre(-70000));
  EXPECT_THAT(parse_npy(npy("<u4", "(1,)", bytes_of<std::uint32_t>({70000})))->values, ElementsAre(70000));
  EXPECT_THAT(parse_npy(npy("<i8", "(1,)", bytes_of<std::int64_t>({-5})))->values, ElementsAre(-5));
  EXPECT_THAT(parse_npy(npy("<f4", "()", bytes_of<float>({9})))->shape, ElementsAre());
  EXPECT_TRUE(parse_npy(npy("<f4", "(0, 3)", ""))->values.empty());
}

TEST(ParseNpy, WhatItDoesNotReadItNames) {
  const std::string good = npy("<f4", "(2,)", bytes_of<float>({1, 2}));
  EXPECT_THAT(error_of(parse_npy("")), HasSubstr("no array of NumPy"));
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(parse_npy(good.substr(0, length))) << length;
  EXPECT_THAT(error_of(parse_npy(good + "x")), HasSubstr("holds 9 bytes of values where its header says 8"));
  EXPECT_THAT(error_of(parse_npy(npy(">f4", "(1,)", "1234"))), HasSubstr("values are >f4; save"));
  EXPECT_THAT(error_of(parse_npy(npy("|O", "(1,)", "1234"))), HasSubstr("values are |O"));
  EXPECT_THAT(error_of(parse_npy(npy("<f4", "(1,)", "1234", 1, "True"))), HasSubstr("in Fortran's order"));
  EXPECT_THAT(error_of(parse_npy(npy("<f4", "(-1,)", "1234"))), HasSubstr("damaged"));
  EXPECT_THAT(error_of(parse_npy(npy("<f4", "(99999999999999999999,)", "1234"))), HasSubstr("damaged"));
  EXPECT_THAT(error_of(parse_npy(npy("<f4", "(4000000000, 4000000000)", "1234"))),
              HasSubstr("more values than fit"));
}

class ArraysTest : public ::testing::Test {
 protected:
  /// Samples 0, 1, ...: each its number, `size` times.
  std::string samples(int count, int size, const std::string& shape) const {
    std::vector<float> values;
    for (int i = 0; i < count; ++i)
      values.insert(values.end(), static_cast<std::size_t>(size), static_cast<float>(i));
    return npy("<f4", fmt::format("({}, {})", count, shape), bytes_of(values));
  }
  std::string refusal(Split split = Split::train) const { return error_of(read_arrays(folder_, split)); }

  const testing::TestFolder folder_;
};

TEST_F(ArraysTest, AFileForEachInputAndSplit) {
  folder_.write("train/right.npy", samples(3, 4, "1, 2, 2"));
  folder_.write("train/left.npy", samples(3, 2, "2"));
  folder_.write("val/left.npy", samples(2, 2, "2"));
  folder_.write("val/right.npy", samples(2, 4, "1, 2, 2"));
  EXPECT_TRUE(holds_arrays(folder_));
  const auto train = read_arrays(folder_, Split::train);
  ASSERT_TRUE(train) << train.error().message;
  ASSERT_EQ(train->size(), 2u);
  EXPECT_EQ((*train)[0].name, "left");
  EXPECT_THAT((*train)[0].array.values, ElementsAre(0, 0, 1, 1, 2, 2));
  EXPECT_THAT((*train)[1].array.shape, ElementsAre(3, 1, 2, 2));
  EXPECT_THAT((*read_arrays(folder_, Split::test))[0].array.shape, ElementsAre(2, 2));
}

TEST_F(ArraysTest, AFifthOfWhatIsNotSplitIsForTheTest) {
  folder_.write("a.npy", samples(10, 1, "1"));
  folder_.write("b.npy", samples(10, 2, "2"));
  const auto train = *read_arrays(folder_, Split::train), test = *read_arrays(folder_, Split::test);
  EXPECT_THAT(train[0].array.shape, ElementsAre(8, 1));
  EXPECT_THAT(test[1].array.shape, ElementsAre(2, 2));
  std::vector<float> all = train[0].array.values;
  all.insert(all.end(), test[0].array.values.begin(), test[0].array.values.end());
  EXPECT_THAT(all, ::testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(train[0].array.values[i], train[1].array.values[2 * i]);
}

TEST_F(ArraysTest, WhatDoesNotFitIsNamed) {
  EXPECT_FALSE(holds_arrays(folder_));
  EXPECT_THAT(refusal(), HasSubstr("holds no .npy file"));
  folder_.write("a.npy", samples(1, 1, "1"));
  EXPECT_THAT(refusal(), HasSubstr("one sample, which cannot be"));
  folder_.write("a.npy", samples(4, 3, "3"));
  folder_.write("b.npy", samples(5, 3, "3"));
  EXPECT_THAT(refusal(), HasSubstr("b.npy' has 5 samples and '"));
  folder_.write("b.npy", samples(4, 3, "3, 1"));
  EXPECT_THAT(refusal(),
              HasSubstr("b.npy' has 3 dimensions; inputs are samples x channels x height x width"));
  folder_.write("b.npy", npy("<f4", "(0, 3, 2, 2)", ""));
  EXPECT_THAT(refusal(), HasSubstr("b.npy' holds no samples"));
  folder_.write("b.npy", npy("<f4", "(4, 1)", bytes_of<float>({1, 2, NAN, 4})));
  EXPECT_THAT(refusal(), HasSubstr("b.npy' holds nan in its sample 2"));
  folder_.write("b.npy", "x");
  EXPECT_THAT(refusal(), HasSubstr("b.npy': it is no array of NumPy"));
}

}  // namespace
}  // namespace concertina::data
