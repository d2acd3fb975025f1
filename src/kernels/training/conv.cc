#include "kernels/training/conv.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "kernels/training/conv_maps.h"
#include "kernels/training/conv_sweep.h"

namespace concertina::kernels {
namespace {

constexpr int kPanel = kTrainingPanel, kPair = 2 * kPanel;
constexpr int kMostPixels = 32;  // of a unit's block
// A chunk's inputs stay in the second-level cache while all panels read them.
constexpr std::ptrdiff_t kChunkBytes = 256 * 1024;
constexpr std::ptrdiff_t kMostChunkBytes = 1024 * 1024;

/// What units read past the last of a chunk's inputs: vectors, and pixels of a block that is not full.
std::ptrdiff_t spare_bytes(const Sweep& sweep, int channels) {
  constexpr std::ptrdiff_t kVectors = 4096, kPixels = 32;
  return kVectors + kPixels * sweep.stride_w * channels * 4;
}

std::uint32_t to_bf16(float value) {
  constexpr std::uint32_t kLargest = 0x7f7f;  // of the finite ones
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 31 << 15;
  const std::uint32_t magnitude = bits & 0x7fffffff;
  return sign | std::min(kLargest, (magnitude + 0x7fff + (magnitude >> 16 & 1)) >> 16);
}

int round_to(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The filter as a sweep multiplies it: which of its channels are outputs.
struct SweepFilter {
  const float* values = nullptr;
  std::ptrdiff_t output = 0, input = 0, tap = 0;
  int outputs = 0, inputs = 0;
  bool depthwise = false;  ///< each output sees the input of its own place; inputs is 1
};

/// How a sweep's runs meet their weights; see PanelProducts.
struct RunShape {
  int taps = 1;   ///< that slide
  int depth = 0;  ///< elements
  std::ptrdiff_t panel = 0;

  RunShape(const Sweep& sweep, int inputs, const TrainingUnit& unit) {
    constexpr int kSliding = 3;
    const int in_run = sweep.taps_in_run();
    if (unit.slides && in_run == kSliding && sweep.stride_w == 1 && inputs % unit.depth == 0) taps = in_run;
    const int padded = round_to(in_run / taps * inputs, unit.depth);
    depth = unit.bf16 ? padded / 2 : padded;
    panel = std::ptrdiff_t{kPanel} * depth * taps * static_cast<std::ptrdiff_t>(sweep.runs.size());
  }
};

/// One panel of weights.
void pack_panel(const Sweep& sweep, const RunShape& shape, const SweepFilter& f, const TrainingUnit& unit,
                int panel, std::uint32_t* to) {
  std::memset(to, 0, static_cast<std::size_t>(shape.panel) * sizeof(*to));
  const int in_element = unit.bf16 ? 2 : 1;
  const bool slides = shape.taps > 1;
  PackArgs pack{.output = f.output,
                .input = f.input,
                .outputs = std::min(kPanel, f.outputs - panel * kPanel),
                .inputs = f.inputs,
                .bf16 = unit.bf16,
                .step = std::ptrdiff_t{shape.taps} * kPanel};
  for (const Run& run : sweep.runs) {
    for (std::size_t t = 0; t < run.taps.size(); ++t) {
      const auto before = static_cast<std::ptrdiff_t>(t) * f.inputs;  // inputs of the run
      pack.from = f.values + std::ptrdiff_t{panel} * kPanel * f.output + run.taps[t] * f.tap;
      pack.to = to + (slides ? static_cast<std::ptrdiff_t>(t) : before / in_element) * kPanel;
      if (slides || before % in_element == 0) {
        pack_weights(pack);
        continue;
      }
      // The first input shares its element with the tap before, the others begin anew.
      for (int k = 0; k < pack.outputs; ++k) pack.to[k] |= to_bf16(pack.from[k * f.output]) << 16;
      PackArgs rest = pack;
      rest.from += f.input;
      rest.inputs -= 1;
      rest.to += kPanel;
      pack_weights(rest);
    }
    to += std::ptrdiff_t{shape.depth} * shape.taps * kPanel;
  }
}

/// Where a sweep's outputs go: the channels of one group.
struct SweepTarget {
  void* values = nullptr;
  Element element = Element::fp32;
  int height = 0, width = 0;
  std::ptrdiff_t pixel = 0;
  std::ptrdiff_t first = 0;
  const float* bias = nullptr;  ///< of the group, or null
};

/// Adds up the moments of a channel's parts (Chan et al. 1979).
class Moments {
 public:
  void add(double count, double origin, double sum, double squares) {
    const double mean = origin + sum / count, spread = std::max(squares - sum * sum / count, 0.0);
    const double all = count_ + count, distance = mean - mean_;
    spread_ += spread + distance * distance * count_ * count / all;
    mean_ += distance * count / all;
    count_ = all;
  }
  double mean() const { return mean_; }
  double variance() const { return spread_ / count_; }

 private:
  double count_ = 0, mean_ = 0, spread_ = 0;
};

/// Runs one sweep for one group.
class SweepRunner {
 public:
  SweepRunner(const Sweep& sweep, const SweepSource& source, SweepFilter filter, const SweepTarget& target,
              const TrainingUnit& unit)
      : sweep_(sweep),
        source_(source),
        filter_(filter),
        target_(target),
        unit_(unit),
        shape_(sweep, filter.inputs, unit),
        panels_((filter.outputs + kPanel - 1) / kPanel) {}

  /// `moments`: if not null, [chunks][panel pairs][3][kPair], see StoreArgs.
  void run(const std::vector<SweepChunk>& chunks, float* moments, Workspace& workspace,
           const ParallelFor& parallel) {
    const Workspace::Loan packed = workspace.borrow(static_cast<std::size_t>(panels_ * shape_.panel * 4));
    weights_ = packed.as<std::uint32_t>();
    parallel(panels_, [&](int i) {
      pack_panel(sweep_, shape_, filter_, unit_, i, packed.as<std::uint32_t>() + i * shape_.panel);
    });
    std::ptrdiff_t most = 0;
    for (const SweepChunk& chunk : chunks)
      most = std::max(most, SweepLayout(sweep_, chunk, source_.channels).size);
    const int pairs = (panels_ + 1) / 2;
    parallel(static_cast<int>(chunks.size()), [&](int i) {
      const Workspace::Loan inputs =
          workspace.borrow(static_cast<std::size_t>(most * input_bytes(unit_) + spare()));
      run_chunk(chunks[i], inputs.as<char>(),
                moments ? moments + std::ptrdiff_t{i} * pairs * 3 * kPair : nullptr);
    });
  }

 private:
  void run_chunk(const SweepChunk& chunk, char* inputs, float* moments) const {
    const SweepLayout layout(sweep_, chunk, source_.channels);
    if (sweep_.runs.empty()) return store_zeros(chunk);
    load_chunk(sweep_, chunk, layout, source_, unit_, inputs);
    std::memset(inputs + layout.size * input_bytes(unit_), 0, static_cast<std::size_t>(spare()));
    std::vector<std::ptrdiff_t> runs;
    for (const Run& run : sweep_.runs) runs.push_back(run.row * layout.row + run.column * layout.column);
    unit_.begin();
    for (int panel = 0; panel < panels_; panel += 2) {
      const std::uint32_t* weights = weights_ + panel * shape_.panel;
      const PanelProducts products{
          .runs = runs,
          .taps = shape_.taps,
          .depth = shape_.depth,
          .pixel = sweep_.by_image ? layout.image : sweep_.stride_w * layout.column,
          .weights = weights,
          .weights2 = panel + 1 < panels_ ? weights + shape_.panel : nullptr,
          .last_outputs = filter_.outputs - std::min(panel + 1, panels_ - 1) * kPanel};
      run_panels(chunk, layout, products, panel, inputs,
                 moments ? moments + std::ptrdiff_t{panel} / 2 * 3 * kPair : nullptr);
    }
    unit_.end();
  }

  /// A pair of panels under all pixels of the chunk.
  void run_panels(const SweepChunk& chunk, const SweepLayout& layout, const PanelProducts& products,
                  int panel, const char* inputs, float* moments) const {
    const int length = sweep_.by_image ? chunk.images : sweep_.columns;
    const int most = filter_.depthwise ? 64 : products.weights2 ? unit_.pixels_of_two : unit_.pixels;
    const int blocks = (length + most - 1) / most;
    const int lines = sweep_.by_image ? sweep_.columns : chunk.images;
    Pending pending(*this, panel, moments);
    for (int line = 0; line < lines; ++line) {
      for (int row = 0; row < chunk.rows; ++row) {
        for (int block = 0; block < blocks; ++block) {
          const int at = length * block / blocks, count = length * (block + 1) / blocks - at;
          const int image = sweep_.by_image ? at : line, column = sweep_.by_image ? line : at;
          const std::ptrdiff_t input = image * layout.image + row * sweep_.stride_h * layout.row +
                                       column * sweep_.stride_w * layout.column;
          const std::ptrdiff_t pixel = target_pixel(chunk.image + image, chunk.row + row, column);
          float* const sums = pending.room(pixel, count);
          if (filter_.depthwise) {
            depthwise_panels(products, reinterpret_cast<const float*>(inputs) + input + panel * kPanel, count,
                             sums);
          } else {
            unit_.products(products, inputs + input * input_bytes(unit_), count, sums);
          }
        }
      }
    }
    pending.store();
  }

  /// Sums of pixels that lie evenly in the target, until there are enough of them.
  class Pending {
   public:
    Pending(const SweepRunner& runner, int panel, float* moments)
        : runner_(runner),
          panel_(panel),
          channels_(std::min(kPair, runner.filter_.outputs - panel * kPanel)),
          moments_(moments),
          step_(runner.sweep_.by_image ? std::ptrdiff_t{runner.target_.height} * runner.target_.width
                                       : runner.sweep_.to_step_w) {
      if (runner.target_.bias) std::copy_n(runner.target_.bias + panel * kPanel, channels_, bias_);
    }

    /// For `count` more pixels, the first of which is `pixel` in the target.
    float* room(std::ptrdiff_t pixel, int count) {
      if (count_ > 0 && (count_ + count > kMost || pixel != first_ + count_ * step_)) store();
      if (count_ == 0) first_ = pixel;
      count_ += count;
      return sums_ + (count_ - count) * kPair;
    }

    void store() {
      if (count_ == 0) return;
      if (moments_ && !begun_) {
        std::fill_n(moments_, 3 * kPair, 0.0F);
        for (int c = 0; c < channels_; ++c) moments_[c] = sums_[c] + bias_[c];
        begun_ = true;
      }
      store_values({.sums = sums_,
                    .pixels = count_,
                    .channels = channels_,
                    .bias = runner_.target_.bias ? bias_ : nullptr,
                    .element = runner_.target_.element,
                    .to = runner_.address(first_, panel_ * kPanel),
                    .pixel = step_ * runner_.target_.pixel,
                    .moments = moments_});
      count_ = 0;
    }

   private:
    static constexpr int kMost = 64;

    const SweepRunner& runner_;
    int panel_;
    int channels_;
    float* moments_;
    std::ptrdiff_t step_;
    std::ptrdiff_t first_ = 0;
    int count_ = 0;
    bool begun_ = false;
    alignas(64) float bias_[kPair] = {};
    alignas(64) float sums_[(kMost + kMostPixels) * kPair];  // a block is written whole
  };

  std::ptrdiff_t spare() const { return spare_bytes(sweep_, source_.channels); }

  void store_zeros(const SweepChunk& chunk) const {
    for (int n = 0; n < chunk.images; ++n) {
      for (int row = 0; row < chunk.rows; ++row) {
        for (int column = 0; column < sweep_.columns; ++column) {
          std::memset(address(target_pixel(chunk.image + n, chunk.row + row, column), 0), 0,
                      static_cast<std::size_t>(filter_.outputs * element_bytes(target_.element)));
        }
      }
    }
  }

  std::ptrdiff_t target_pixel(int image, int row, int column) const {
    return (std::ptrdiff_t{image} * target_.height + sweep_.to_row + row * sweep_.to_step_h) * target_.width +
           sweep_.to_column + std::ptrdiff_t{column} * sweep_.to_step_w;
  }
  void* address(std::ptrdiff_t pixel, int channel) const {
    return static_cast<char*>(target_.values) +
           (pixel * target_.pixel + target_.first + channel) * element_bytes(target_.element);
  }

  const Sweep& sweep_;
  SweepSource source_;
  SweepFilter filter_;
  const SweepTarget& target_;
  const TrainingUnit& unit_;
  RunShape shape_;
  int panels_;
  const std::uint32_t* weights_ = nullptr;
};

SweepSource input_source(const TrainingConv& conv, const void* x, int group) {
  return {x,
          conv.element,
          conv.window.in_h,
          conv.window.in_w,
          std::ptrdiff_t{conv.groups} * conv.in_channels,
          std::ptrdiff_t{group} * conv.in_channels,
          conv.in_channels};
}

SweepSource output_source(const TrainingConv& conv, const void* dy, int group) {
  return {dy,
          conv.element,
          conv.window.out_h,
          conv.window.out_w,
          std::ptrdiff_t{conv.groups} * conv.out_channels,
          std::ptrdiff_t{group} * conv.out_channels,
          conv.out_channels};
}

/// A depthwise convolution is run as one group of all channels, in floats.
bool is_depthwise(const TrainingConv& conv) {
  return conv.groups > 1 && conv.in_channels == 1 && conv.out_channels == 1;
}
TrainingConv as_one_group(TrainingConv conv) {
  conv.in_channels = conv.out_channels = conv.groups;
  conv.groups = 1;
  conv.unit = &training_fp32_unit();
  return conv;
}
SweepShape shape_of(const TrainingConv& conv, bool depthwise) {
  return {conv.images, conv.unit->least_columns, depthwise};
}
template <typename Part>
SweepFilter filter_of(const Part& part, const TrainingConv& conv, int group, bool depthwise) {
  return {part.values + std::ptrdiff_t{group} * conv.out_channels * part.output,
          part.output,
          depthwise ? 0 : part.input,
          part.tap,
          conv.out_channels,
          depthwise ? 1 : conv.in_channels,
          depthwise};
}

/// The moments of a group's channels, from those of all chunks.
void find_moments(const std::vector<SweepChunk>& chunks, const Sweep& sweep, int channels, const float* parts,
                  float* mean, float* variance) {
  const int pairs = (channels + kPair - 1) / kPair;
  for (int c = 0; c < channels; ++c) {
    Moments all;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const float* part =
          parts + (static_cast<std::ptrdiff_t>(i) * pairs + c / kPair) * 3 * kPair + c % kPair;
      const double count = static_cast<double>(chunks[i].images) * chunks[i].rows * sweep.columns;
      all.add(count, part[0], part[kPair], part[2 * kPair]);
    }
    mean[c] = static_cast<float>(all.mean());
    variance[c] = static_cast<float>(all.variance());
  }
}

/// to[c * stride] += from[c].
void add(const float* from, int count, std::ptrdiff_t stride, float* to) {
  if (stride == 1) {
    for (int c = 0; c < count; ++c) to[c] += from[c];
  } else {
    for (int c = 0; c < count; ++c) to[c * stride] += from[c];
  }
}

/// Adds up what one share of the chunks says of the filter's gradient.
class OuterRunner {
 public:
  OuterRunner(const Sweep& sweep, const SweepSource& x, const SweepSource& dy, const TrainingUnit& unit,
              bool depthwise)
      : sweep_(sweep),
        x_(x),
        dy_(dy),
        unit_(unit),
        depthwise_(depthwise),
        inputs_(depthwise ? 1 : sweep.taps_in_run() * x.channels),
        padded_(round_to(depthwise ? dy.channels : inputs_, kPanel)) {}

  /// Of a share. Where the sums of an output begin: [outputs][runs][padded], or depthwise [runs][padded
  /// outputs].
  std::ptrdiff_t sums() const { return (depthwise_ ? 1 : dy_.channels) * runs() * padded_; }
  std::ptrdiff_t place(int output, std::ptrdiff_t run) const {
    return depthwise_ ? run * padded_ + output : (output * runs() + run) * padded_;
  }

  void run(const SweepChunk& chunk, Workspace& workspace, float* sums) const {
    const SweepLayout layout(sweep_, chunk, x_.channels);
    const Workspace::Loan inputs =
        workspace.borrow(static_cast<std::size_t>(layout.size * input_bytes(unit_) + spare()));
    load_chunk(sweep_, chunk, layout, x_, unit_, inputs.as<char>());
    std::memset(inputs.as<char>() + layout.size * input_bytes(unit_), 0, static_cast<std::size_t>(spare()));
    unit_.bf16 ? run_pairs(chunk, layout, inputs, workspace, sums)
               : run_floats(chunk, layout, inputs, workspace, sums);
  }

 private:
  void run_floats(const SweepChunk& chunk, const SweepLayout& layout, const Workspace::Loan& inputs,
                  Workspace& workspace, float* sums) const {
    const std::ptrdiff_t pixels = std::ptrdiff_t{chunk.rows} * dy_.width;
    const std::ptrdiff_t values = chunk.images * pixels * dy_.pixel;
    const Workspace::Loan converted = workspace.borrow(static_cast<std::size_t>(values * 4 + spare()));
    for (int n = 0; n < chunk.images; ++n) {
      load_values(dy_row(chunk, n, 0), dy_.element, false, pixels * dy_.pixel,
                  converted.as<float>() + n * pixels * dy_.pixel);
    }
    OuterProducts o{.images = chunk.images,
                    .rows = chunk.rows,
                    .columns = sweep_.columns,
                    .x = inputs.as<float>(),
                    .x_image = layout.image,
                    .x_row = sweep_.stride_h * layout.row,
                    .x_column = sweep_.stride_w * layout.column,
                    .dy = converted.as<float>() + dy_.first,
                    .dy_image = pixels * dy_.pixel,
                    .dy_row = dy_.width * dy_.pixel,
                    .dy_column = dy_.pixel,
                    .dy_channel = 1};
    if (sweep_.by_image) {
      std::swap(o.images, o.columns);
      std::swap(o.x_image, o.x_column);
      std::swap(o.dy_image, o.dy_column);
    }
    depthwise_ ? run_depthwise(o, layout, sums) : for_runs(o, layout, sizeof(float), sums);
  }

  void run_depthwise(const OuterProducts& o, const SweepLayout& layout, float* sums) const {
    std::vector<std::ptrdiff_t> runs;
    for (const Run& run : sweep_.runs) runs.push_back(run.row * layout.row + run.column * layout.column);
    depthwise_products({.images = o.images,
                        .rows = o.rows,
                        .columns = o.columns,
                        .x = static_cast<const float*>(o.x),
                        .x_image = o.x_image,
                        .x_row = o.x_row,
                        .x_column = o.x_column,
                        .dy = static_cast<const float*>(o.dy),
                        .dy_image = o.dy_image,
                        .dy_row = o.dy_row,
                        .dy_column = o.dy_column,
                        .runs = runs,
                        .channels = dy_.channels,
                        .sums = sums,
                        .sums_row = padded_});
  }

  void run_pairs(const SweepChunk& chunk, const SweepLayout& layout, const Workspace::Loan& inputs,
                 Workspace& workspace, float* sums) const {
    const std::ptrdiff_t beside = sweep_.by_image ? layout.image : sweep_.stride_w * layout.column;
    const Workspace::Loan pairs = workspace.borrow(static_cast<std::size_t>(layout.size * 4 + spare()));
    make_pairs(inputs.as<std::uint16_t>(), beside, layout.size, pairs.as<std::uint32_t>());
    std::memset(pairs.as<std::uint32_t>() + layout.size, 0, static_cast<std::size_t>(spare()));
    const int length = sweep_.by_image ? chunk.images : sweep_.columns;
    const int steps = round_to((length + 1) / 2, unit_.depth / 2);
    const int lines = sweep_.by_image ? sweep_.columns : chunk.images;
    // An odd number of cache lines, so that channels do not fall into the same sets.
    const std::ptrdiff_t plane = (std::ptrdiff_t{lines} * chunk.rows * steps / 16 | 1) * 16 + 32;
    // Tiles read channels 32 at a time.
    const auto bytes = static_cast<std::size_t>(plane * round_to(dy_.channels, kPair) * 4 + spare());
    const Workspace::Loan planes = workspace.borrow(bytes);
    if (steps != (length + 1) / 2) std::memset(planes.as<char>(), 0, bytes);
    for (int line = 0; line < lines; ++line) {
      for (int row = 0; row < chunk.rows; ++row) {
        const auto* from = static_cast<const std::uint16_t*>(sweep_.by_image ? dy_pixel(chunk, 0, row, line)
                                                                             : dy_pixel(chunk, line, row, 0));
        const std::ptrdiff_t pixel =
            sweep_.by_image ? std::ptrdiff_t{dy_.height} * dy_.width * dy_.pixel : dy_.pixel;
        make_planes(from + dy_.first, length, dy_.channels, pixel, plane,
                    planes.as<std::uint32_t>() + (std::ptrdiff_t{line} * chunk.rows + row) * steps);
      }
    }
    const OuterProducts o{.images = lines,
                          .rows = chunk.rows,
                          .columns = steps,
                          .x = pairs.as<std::uint32_t>(),
                          .x_image = sweep_.by_image ? sweep_.stride_w * layout.column : layout.image,
                          .x_row = sweep_.stride_h * layout.row,
                          .x_column = 2 * beside,
                          .dy = planes.as<std::uint32_t>(),
                          .dy_image = std::ptrdiff_t{chunk.rows} * steps,
                          .dy_row = steps,
                          .dy_column = 1,
                          .dy_channel = plane};
    for_runs(o, layout, sizeof(std::uint32_t), sums);
  }

  void for_runs(OuterProducts o, const SweepLayout& layout, std::size_t element, float* sums) const {
    const auto* const x = static_cast<const char*>(o.x);
    o.channels = dy_.channels;
    o.inputs = inputs_;
    o.sums_row = padded_ * runs();
    unit_.begin();
    for (const Run& run : sweep_.runs) {
      o.x = x + (run.row * layout.row + run.column * layout.column) * static_cast<std::ptrdiff_t>(element);
      o.sums = sums;
      unit_.outer(o);
      sums += padded_;
    }
    unit_.end();
  }

  std::ptrdiff_t spare() const { return spare_bytes(sweep_, x_.channels); }
  std::ptrdiff_t runs() const { return static_cast<std::ptrdiff_t>(sweep_.runs.size()); }
  const void* dy_row(const SweepChunk& chunk, int image, int row) const {
    return dy_pixel(chunk, image, row, 0);
  }
  const void* dy_pixel(const SweepChunk& chunk, int image, int row, int column) const {
    const std::ptrdiff_t pixel =
        (static_cast<std::ptrdiff_t>(chunk.image + image) * dy_.height + chunk.row + row) * dy_.width +
        column;
    return static_cast<const char*>(dy_.values) + pixel * dy_.pixel * element_bytes(dy_.element);
  }

  const Sweep& sweep_;
  const SweepSource& x_;
  const SweepSource& dy_;
  const TrainingUnit& unit_;
  bool depthwise_;
  int inputs_;
  int padded_;
};

}  // namespace

void conv_forward(const ConvForwardArgs& args, Workspace& workspace, const ParallelFor& parallel) {
  const bool depthwise = is_depthwise(args.conv);
  const TrainingConv conv = depthwise ? as_one_group(args.conv) : args.conv;
  const WindowArgs& w = conv.window;
  const Sweep sweep = forward_sweep(w, shape_of(conv, depthwise));
  const auto chunks = chunks_of(sweep, conv.images, conv.in_channels, *conv.unit, kChunkBytes);
  const int k = conv.out_channels;
  std::vector<float> moments;
  if (args.mean)
    moments.resize(chunks.size() * static_cast<std::size_t>((k + kPair - 1) / kPair) * 3 * kPair);
  for (int g = 0; g < conv.groups; ++g) {
    const SweepSource source = input_source(conv, args.x, g);
    const SweepTarget target{args.y,
                             conv.element,
                             w.out_h,
                             w.out_w,
                             std::ptrdiff_t{conv.groups} * k,
                             std::ptrdiff_t{g} * k,
                             args.bias ? args.bias + std::ptrdiff_t{g} * k : nullptr};
    SweepRunner(sweep, source, filter_of(args.filter, conv, g, depthwise), target, *conv.unit)
        .run(chunks, args.mean ? moments.data() : nullptr, workspace, parallel);
    if (args.mean) find_moments(chunks, sweep, k, moments.data(), args.mean + g * k, args.variance + g * k);
  }
}

void conv_input_gradient(const ConvInputGradientArgs& args, Workspace& workspace,
                         const ParallelFor& parallel) {
  const bool depthwise = is_depthwise(args.conv);
  const TrainingConv conv = depthwise ? as_one_group(args.conv) : args.conv;
  for (const Sweep& sweep : gradient_sweeps(conv.window, shape_of(conv, depthwise))) {
    const auto chunks = chunks_of(sweep, conv.images, conv.out_channels, *conv.unit, kChunkBytes);
    for (int g = 0; g < conv.groups; ++g) {
      SweepFilter filter = filter_of(args.filter, conv, g, depthwise);
      if (!depthwise) {
        std::swap(filter.output, filter.input);
        std::swap(filter.outputs, filter.inputs);
      }
      const SweepTarget target{args.dx,
                               conv.element,
                               conv.window.in_h,
                               conv.window.in_w,
                               std::ptrdiff_t{conv.groups} * conv.in_channels,
                               std::ptrdiff_t{g} * conv.in_channels,
                               nullptr};
      SweepRunner(sweep, output_source(conv, args.dy, g), filter, target, *conv.unit)
          .run(chunks, nullptr, workspace, parallel);
    }
  }
}

void conv_filter_gradient(const ConvFilterGradientArgs& args, Workspace& workspace,
                          const ParallelFor& parallel) {
  // As many shares as keep their sums small; each goes through its chunks in order.
  constexpr int kMostShares = 8;
  constexpr std::ptrdiff_t kMostSums = std::ptrdiff_t{1} << 22;
  const bool depthwise = is_depthwise(args.conv);
  const TrainingConv conv = depthwise ? as_one_group(args.conv) : args.conv;
  const int inputs = depthwise ? 1 : conv.in_channels;
  const Sweep sweep = forward_sweep(conv.window, shape_of(conv, depthwise));
  // Every chunk reads and writes all sums.
  const std::ptrdiff_t all_sums = std::ptrdiff_t{4} * conv.out_channels * inputs * conv.window.taps();
  const auto chunks = chunks_of(sweep, conv.images, conv.in_channels, *conv.unit,
                                std::clamp(all_sums / 4, kChunkBytes, kMostChunkBytes));
  for (int g = 0; g < conv.groups; ++g) {
    const SweepSource x = input_source(conv, args.x, g), dy = output_source(conv, args.dy, g);
    const OuterRunner runner(sweep, x, dy, *conv.unit, depthwise);
    const auto count = static_cast<int>(chunks.size());
    const int shares = static_cast<int>(
        std::clamp<std::ptrdiff_t>(kMostSums / runner.sums(), 1, std::min(kMostShares, count)));
    const Workspace::Loan sums = workspace.borrow(static_cast<std::size_t>(shares * runner.sums() * 4));
    parallel(shares, [&](int share) {
      float* const own = sums.as<float>() + share * runner.sums();
      std::fill_n(own, runner.sums(), 0.0F);
      for (int i = count * share / shares; i < count * (share + 1) / shares; ++i)
        runner.run(chunks[i], workspace, own);
    });
    parallel(conv.out_channels, [&](int k) {
      float* const to =
          args.gradient.values + (std::ptrdiff_t{g} * conv.out_channels + k) * args.gradient.output;
      for (std::size_t r = 0; r < sweep.runs.size(); ++r) {
        const float* from = sums.as<float>() + runner.place(k, static_cast<std::ptrdiff_t>(r));
        for (const std::ptrdiff_t tap : sweep.runs[r].taps) {
          float* const at = to + tap * args.gradient.tap;
          for (int s = 0; s < shares; ++s) add(from + s * runner.sums(), inputs, args.gradient.input, at);
          from += inputs;
        }
      }
    });
  }
}

}  // namespace concertina::kernels
