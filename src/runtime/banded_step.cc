#include "runtime/banded_step.h"

#include <array>
#include <chrono>
#include <cstring>

#include "base/aligned_buffer.h"
#include "graph/op.h"

namespace concertina::runtime {
namespace {

/// Where the rows of a map lie, from row `first` on.
template <typename Float>
struct RowsInMemory {
  Float* pixels = nullptr;
  std::ptrdiff_t row_floats = 0;
  int first = 0;

  Float* row(int y) const { return pixels + (y - first) * row_floats; }
};

const Location& output_of(const RowStep& step) {
  return std::visit([](const auto& one) -> const Location& { return one.output; }, step);
}

/// What the first layer reads of one image.
RowsInMemory<const float> input_of(const RowStep& first, const kernels::WindowArgs& window,
                                   const Frame& frame, int image) {
  const auto planes = [&](const PlainInput& plain) -> RowsInMemory<const float> {
    const std::ptrdiff_t image_floats = std::ptrdiff_t{plain.channels} * window.in_h * window.in_w;
    return {plain.in(frame) + image * image_floats, window.in_w};
  };
  const auto pixels = [&](const Location& input) -> RowsInMemory<const float> {
    const std::ptrdiff_t row_floats = window.in_w * input.stride;
    return {input.pixels(frame) + image * window.in_h * row_floats, row_floats};
  };
  return std::visit(
      Overloaded{
          [&](const LoadStep& load) { return planes(load.plain); },
          [&](const ConvStep& conv) { return conv.plain ? planes(*conv.plain) : pixels(conv.input); },
          [&](const MaxPoolStep& pool) { return pixels(pool.input); },
      },
      first);
}

/// Rows that their kernels make at a time.
int tile_rows_of(const std::vector<RowStep>& steps) {
  int tile_rows = 1;
  for (const RowStep& step : steps) {
    if (const auto* conv = std::get_if<ConvStep>(&step)) tile_rows = std::max(tile_rows, conv->side);
  }
  return tile_rows;
}

/// The workspace that their kernels need for up to `most` rows.
std::ptrdiff_t kernel_floats(const std::vector<RowStep>& steps, const kernels::WindowArgs& whole, int most) {
  std::size_t floats = 0;
  for (const RowStep& step : steps) {
    const auto* conv = std::get_if<ConvStep>(&step);
    if (conv == nullptr) continue;
    for (int rows = 1; rows <= most; ++rows) {
      floats = std::max(floats, conv->workspace(window_of_rows(whole, {0, rows})));
    }
  }
  return static_cast<std::ptrdiff_t>(floats);
}

}  // namespace

BandedStep make_banded(std::vector<std::vector<RowStep>> steps,
                       const std::vector<kernels::WindowArgs>& windows, std::int64_t bytes) {
  BandedStep banded{.layers = {}, .geometry = {}};
  std::vector<std::ptrdiff_t> row_floats;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    row_floats.push_back(windows[i].out_w * output_of(steps[i][0]).stride);
    banded.geometry.push_back({windows[i], tile_rows_of(steps[i])});
    banded.layers.push_back({.steps = std::move(steps[i]), .row_floats = row_floats[i]});
  }
  banded.rows = choose_band(banded.geometry, row_floats, bytes / std::int64_t{sizeof(float)});
  const std::vector<int> most = rows_at_once(banded.geometry, banded.rows);
  std::ptrdiff_t kernels = 0;
  for (std::size_t i = 0; i < banded.layers.size(); ++i) {
    kernels = std::max(kernels, kernel_floats(banded.layers[i].steps, windows[i], most[i]));
    if (i + 1 == banded.layers.size()) break;
    banded.layers[i].buffer = banded.kernel_memory;
    banded.kernel_memory += in_lines(most[i] * row_floats[i]);
  }
  banded.memory = banded.kernel_memory + in_lines(kernels);
  return banded;
}

/// What one thread does.
struct BandedStep::Part {
  int image = 0;
  Rows rows;
  float* memory = nullptr;
  std::int64_t* lap_times = nullptr;
};

void BandedStep::run(const Frame& frame) const {
  const int threads = frame.pool.size(), tile_rows = geometry.back().tile_rows,
            height = geometry.back().window.out_h;
  const int tiles = (height + tile_rows - 1) / tile_rows;
  const int parts = frame.batch % threads == 0 ? 1 : std::min(threads, tiles);  // of each image
  const auto begin = [&](int part) {
    return std::min(height, static_cast<int>(std::int64_t{tiles} * part / parts) * tile_rows);
  };
  frame.pool.parallel_for(frame.batch * parts, [&](int job, int thread) {
    const int part = job % parts;
    run_part(frame,
             {.image = job / parts,
              .rows = {begin(part), begin(part + 1)},
              .memory = frame.workspace + thread * memory,
              .lap_times =
                  frame.lap_times == nullptr ? nullptr : frame.lap_times + thread * frame.lap_time_stride});
  });
}

void BandedStep::run_part(const Frame& frame, const Part& part) const {
  using Clock = std::chrono::steady_clock;
  const std::size_t last = layers.size() - 1;
  const auto source = input_of(layers[0].steps[0], geometry[0].window, frame, part.image);
  const kernels::WindowArgs& whole = geometry[last].window;
  BandWalk walk(geometry, rows, part.rows);
  std::array<RowsInMemory<float>, kMaxBandLayers> made;
  for (std::size_t i = 0; i < last; ++i) {
    made[i] = {part.memory + layers[i].buffer, layers[i].row_floats, walk.begin(i)};
  }
  made[last] = {
      output_of(layers[last].steps[0]).pixels(frame) + part.image * whole.out_h * layers[last].row_floats,
      layers[last].row_floats, 0};
  while (!walk.done()) {
    std::int64_t* lap = part.lap_times;
    walk.next([&](std::size_t i, const BandWalk::Move& move) {
      RowsInMemory<float>& to = made[i];
      if (i < last && move.keep > to.first) {
        const auto kept = static_cast<std::size_t>((move.make.begin - move.keep) * to.row_floats);
        std::memmove(to.pixels, to.row(move.keep), kept * sizeof(float));
        to.first = move.keep;
      }
      for (const RowStep& step : layers[i].steps) {
        const auto start = lap == nullptr ? Clock::time_point() : Clock::now();
        if (move.make.count() > 0) {
          const int seen = rows_seen(geometry[i].window, move.make).begin;
          const RowsFrame rows_frame{
              .window = window_of_rows(geometry[i].window, move.make),
              .input = i == 0 ? source.row(seen) : made[i - 1].row(seen),
              .output = to.row(move.make.begin),
              .workspace = part.memory + kernel_memory,
              .pool = frame.caller,
          };
          std::visit([&](const auto& one) { one.run_rows(rows_frame); }, step);
        }
        if (lap != nullptr) *lap++ += std::chrono::nanoseconds(Clock::now() - start).count();
      }
    });
  }
}

}  // namespace concertina::runtime
