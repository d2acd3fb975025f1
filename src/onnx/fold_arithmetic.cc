#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/fold_source.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

using Type = FoldedTensor::Type;

const Error kBatch{"it computes with the size of the batch"};

template <typename Function>
Result<FoldedTensor> combined(const FoldSource& source, const FoldedTensor& a, const FoldedTensor& b,
                              Function function) {
  ASSIGN_OR_RETURN(const std::vector<int> shape, broadcast(a.shape, b.shape, source.most_values));
  FoldedTensor result = repeated(a, shape);
  const FoldedTensor other = repeated(b, shape);
  for (std::size_t i = 0; i < result.values.size(); ++i)
    result.values[i] = rounded(function(result.values[i], other.values[i]), result.type);
  return result;
}

template <typename Function>
Result<FoldedTensor> binary(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  if (has_unknown(*source.input(0)) || has_unknown(*source.input(1))) return kBatch;
  return combined(source, *source.input(0), *source.input(1), Function());
}

/// The sign is the divisor's, or with 'fmod' the dividend's.
Result<FoldedTensor> modulo(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  if (has_unknown(*source.input(0)) || has_unknown(*source.input(1))) return kBatch;
  const bool as_c = Attributes(source.node).integer("fmod", 0) != 0;
  return combined(source, *source.input(0), *source.input(1), [&](double a, double b) {
    const double rest = std::fmod(a, b);
    return !as_c && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  });
}

struct Power {
  double operator()(double a, double b) const { return std::pow(a, b); }
};
struct Least {
  double operator()(double a, double b) const { return std::min(a, b); }
};
struct Most {
  double operator()(double a, double b) const { return std::max(a, b); }
};

template <typename Function>
Result<FoldedTensor> of_all(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, std::max<std::size_t>(source.inputs.size(), 1)));
  FoldedTensor result = *source.input(0);
  for (const FoldedTensor* input : source.inputs) {
    if (has_unknown(*input)) return kBatch;
    ASSIGN_OR_RETURN(result, combined(source, result, *input, Function()));
  }
  return result;
}

/// No size of a batch is negative; what else it equals is not known.
Result<FoldedTensor> equal(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  bool unknown = false;
  ASSIGN_OR_RETURN(FoldedTensor result,
                   combined(source, *source.input(0), *source.input(1), [&](double a, double b) {
                     unknown = unknown || (std::isnan(a) && !(b < 0)) || (std::isnan(b) && !(a < 0));
                     return a == b ? 1.0 : 0.0;
                   }));
  if (unknown) return kBatch;
  result.type = Type::integer;
  return result;
}

template <typename Function>
Result<FoldedTensor> comparison(const FoldSource& source) {
  ASSIGN_OR_RETURN(FoldedTensor result, binary<Function>(source));
  result.type = Type::integer;
  return result;
}

Result<FoldedTensor> where(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 3));
  const FoldedTensor &condition = *source.input(0), &yes = *source.input(1), &no = *source.input(2);
  if (has_unknown(condition)) return kBatch;
  ASSIGN_OR_RETURN(const auto pair, broadcast(yes.shape, no.shape, source.most_values));
  ASSIGN_OR_RETURN(const auto shape, broadcast(condition.shape, pair, source.most_values));
  FoldedTensor result = repeated(yes, shape);
  const FoldedTensor other = repeated(no, shape), chosen = repeated(condition, shape);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    if (chosen.values[i] == 0) result.values[i] = other.values[i];
  }
  return result;
}

Result<FoldedTensor> expand(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  if (has_unknown(*source.input(1)))
    return Error{"it repeats a constant for each image, as a class token, which is not supported"};
  ASSIGN_OR_RETURN(const std::vector<int> wanted, whole_numbers(*source.input(1)));
  if (std::any_of(wanted.begin(), wanted.end(), [](int size) { return size < 1; }))
    return Error{"its shape is impossible"};
  ASSIGN_OR_RETURN(const auto shape, broadcast(source.input(0)->shape, wanted, source.most_values));
  return repeated(*source.input(0), shape);
}

double negative(double x) {
  return -x;
}
double inverse(double x) {
  return 1 / x;
}
double root(double x) {
  return std::sqrt(x);
}
double below(double x) {
  return std::floor(x);
}
double above(double x) {
  return std::ceil(x);
}
double magnitude(double x) {
  return std::abs(x);
}
double exponential(double x) {
  return std::exp(x);
}
double logarithm(double x) {
  return std::log(x);
}
double positive(double x) {
  return x < 0 ? 0 : x;
}
double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double hyperbolic(double x) {
  return std::tanh(x);
}

template <double (*function)(double)>
Result<FoldedTensor> unary(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 1));
  FoldedTensor result = *source.input(0);
  const bool keeps_whole = function == below || function == above;
  if (has_unknown(result) && !keeps_whole) return kBatch;
  for (double& value : result.values) value = rounded(function(value), result.type);
  return result;
}

double sum_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}
double mean_of(std::span<const double> values) {
  return sum_of(values) / static_cast<double>(values.size());
}
double product_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 1.0, std::multiplies<>());
}
double largest_of(std::span<const double> values) {
  return *std::max_element(values.begin(), values.end());
}
double smallest_of(std::span<const double> values) {
  return *std::min_element(values.begin(), values.end());
}
double squares_of(std::span<const double> values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}
double length_of(std::span<const double> values) {
  return std::sqrt(squares_of(values));
}

/// Over the listed axes, or over all if none is listed.
template <double (*function)(std::span<const double>)>
Result<FoldedTensor> reduction(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 1));
  const FoldedTensor& from = *source.input(0);
  const int rank = static_cast<int>(from.shape.size());
  ASSIGN_OR_RETURN(std::vector<int> gone, axes(source, rank));
  if (Attributes(source.node).integer("noop_with_empty_axes", 0) != 0 && gone.empty()) return from;
  if (has_unknown(from)) return kBatch;
  if (from.values.empty()) return Error{"it reduces no values"};
  const bool keep = Attributes(source.node).integer("keepdims", 1) != 0;
  std::vector<int> kept_shape, order_shape;
  std::vector<std::size_t> strides;
  FoldedTensor result{.shape = {}, .values = {}, .type = from.type};
  const std::vector<std::size_t> all = strides_of(from.shape);
  for (const bool inner : {false, true}) {
    for (int d = 0; d < rank; ++d) {
      const bool reduced = gone.empty() || std::binary_search(gone.begin(), gone.end(), d);
      if (!inner && (!reduced || keep)) result.shape.push_back(reduced ? 1 : from.shape[d]);
      if (reduced != inner) continue;
      order_shape.push_back(from.shape[d]);
      strides.push_back(all[d]);
    }
  }
  const FoldedTensor ordered = gathered(from, order_shape, strides);
  const std::size_t each = ordered.values.size() / static_cast<std::size_t>(count(result.shape));
  for (std::size_t i = 0; i < ordered.values.size(); i += each)
    result.values.push_back(rounded(function({ordered.values.data() + i, each}), from.type));
  return result;
}

/// Of matrices and vectors.
Result<FoldedTensor> matrix_product(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  const FoldedTensor &a = *source.input(0), &b = *source.input(1);
  const std::size_t rank_a = a.shape.size(), rank_b = b.shape.size();
  if (rank_a < 1 || rank_a > 2 || rank_b < 1 || rank_b > 2 || a.shape.back() != b.shape[0])
    return Error{"it multiplies constants that are no matrices, or do not fit together"};
  if (has_unknown(a) || has_unknown(b)) return kBatch;
  const auto rows = static_cast<std::size_t>(rank_a == 2 ? a.shape[0] : 1),
             columns = static_cast<std::size_t>(rank_b == 2 ? b.shape[1] : 1),
             inner = static_cast<std::size_t>(b.shape[0]);
  if (rows * columns * inner == 0) return Error{"it multiplies constants that have no values"};
  constexpr std::int64_t kTimes = 64;
  if (static_cast<std::int64_t>(a.values.size()) > kTimes * source.most_values / static_cast<int>(columns))
    return Error{"it multiplies constants that are too large to do so beforehand"};
  FoldedTensor result{.shape = {}, .values = {}, .type = a.type};
  if (rank_a == 2) result.shape.push_back(a.shape[0]);
  if (rank_b == 2) result.shape.push_back(b.shape[1]);
  for (std::size_t i = 0; i < rows * columns; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < inner; ++k)
      sum += a.values[i / columns * inner + k] * b.values[k * columns + i % columns];
    result.values.push_back(rounded(sum, a.type));
  }
  return result;
}

/// (x - zero point) * scale; of these there is one for all, or one for each place along an axis.
Result<FoldedTensor> dequantize(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  const FoldedTensor &from = *source.input(0), &scales = *source.input(1);
  const FoldedTensor* const zero_points = source.input(2);
  const std::size_t places = scales.values.size();
  if (places == 0 || (zero_points && zero_points->values.size() != places))
    return Error{"it does not have as many zero points as scales"};
  Attributes attributes(source.node);
  const int wanted = attributes.integer("axis", 1, -16);
  if (attributes.integer("block_size", 0) != 0) return Error{"it has scales for blocks of values"};
  std::size_t run = from.values.size();
  if (places > 1) {
    ASSIGN_OR_RETURN(const int axis, axis_of(wanted, static_cast<int>(from.shape.size())));
    if (scales.shape.size() != 1 || scales.shape[0] != from.shape[axis])
      return Error{"its scales do not fit its axis"};
    run = strides_of(from.shape)[axis];
  }
  FoldedTensor result{.shape = from.shape, .values = from.values};
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const std::size_t place = i / run % places;
    const double steps = result.values[i] - (zero_points ? zero_points->values[place] : 0);
    result.values[i] = rounded(steps * scales.values[place], result.type);
  }
  return result;
}

/// From the first number to the second, in steps of the third.
Result<FoldedTensor> range(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 3));
  double numbers[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (source.input(i)->values.size() != 1) return Error{"it has more than one start, limit or step"};
    numbers[i] = source.input(i)->values[0];
    if (std::isnan(numbers[i])) return kBatch;
  }
  const auto [start, limit, step] = numbers;
  const double steps = std::ceil((limit - start) / step);
  if (!(steps <= static_cast<double>(source.most_values)))
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  FoldedTensor result{.shape = {0}, .values = {}, .type = source.input(0)->type};
  for (double i = 0; i < steps; ++i) result.values.push_back(rounded(start + i * step, result.type));
  result.shape[0] = static_cast<int>(result.values.size());
  return result;
}

constexpr struct {
  std::string_view type;
  Folder fold;
} kArithmetic[] = {{"Abs", unary<magnitude>},
                   {"Add", binary<std::plus<>>},
                   {"Ceil", unary<above>},
                   {"DequantizeLinear", dequantize},
                   {"Div", binary<std::divides<>>},
                   {"Equal", equal},
                   {"Exp", unary<exponential>},
                   {"Expand", expand},
                   {"Floor", unary<below>},
                   {"Greater", comparison<std::greater<>>},
                   {"Less", comparison<std::less<>>},
                   {"Log", unary<logarithm>},
                   {"MatMul", matrix_product},
                   {"Max", of_all<Most>},
                   {"Min", of_all<Least>},
                   {"Mod", modulo},
                   {"Mul", binary<std::multiplies<>>},
                   {"Neg", unary<negative>},
                   {"Pow", binary<Power>},
                   {"Range", range},
                   {"Reciprocal", unary<inverse>},
                   {"ReduceL2", reduction<length_of>},
                   {"ReduceMax", reduction<largest_of>},
                   {"ReduceMean", reduction<mean_of>},
                   {"ReduceMin", reduction<smallest_of>},
                   {"ReduceProd", reduction<product_of>},
                   {"ReduceSum", reduction<sum_of>},
                   {"ReduceSumSquare", reduction<squares_of>},
                   {"Relu", unary<positive>},
                   {"Sigmoid", unary<sigmoid>},
                   {"Sqrt", unary<root>},
                   {"Sub", binary<std::minus<>>},
                   {"Tanh", unary<hyperbolic>},
                   {"Where", where}};

}  // namespace

Folder find_arithmetic(std::string_view type) {
  const auto* found = std::find_if(std::begin(kArithmetic), std::end(kArithmetic),
                                   [&](const auto& folder) { return folder.type == type; });
  return found == std::end(kArithmetic) ? nullptr : found->fold;
}

}  // namespace concertina::onnx
