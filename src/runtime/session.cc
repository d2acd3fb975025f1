#include "concertina/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <system_error>

#include "base/aligned_buffer.h"
#include "base/statistics.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "runtime/model_impl.h"

namespace concertina {
namespace {

constexpr int kMaxThreads = 256;

// In layers of fewer multiply-accumulates on average, handing a part to another thread costs what it saves.
constexpr std::int64_t kMacsWorthAThread = 160'000;

Status check_options(const Model& model, const SessionOptions& options) {
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return Error{
        fmt::format("a session cannot have {} threads; choose 1 to {}", options.threads, kMaxThreads)};
  }
  const int most = std::numeric_limits<int>::max() / model.impl().largest_map;
  if (options.max_batch < 1 || options.max_batch > most) {
    return Error{
        fmt::format("a session's largest batch cannot be {}; choose 1 to {}", options.max_batch, most)};
  }
  return {};
}

Error wrong_size(const char* what, std::size_t given, std::size_t wanted, int batch) {
  return Error{
      fmt::format("there are {} floats of {} where a batch of {} has {}", given, what, batch, wanted)};
}

/// Memory from the system is there only when it is written to. Now is the time to find out that it is not,
/// and to wait for it.
void commit(AlignedBuffer& buffer) {
  constexpr std::size_t kPage = 4096 / sizeof(float);
  for (std::size_t i = 0; i < buffer.size(); i += kPage) static_cast<volatile float*>(buffer.data())[i] = 0;
}

void run_step(const runtime::Step& step, const runtime::Frame& frame) {
  std::visit([&](const auto& one) { one.run(frame); }, step);
}

/// Times the steps of a plan. Those of a banded step share its time as their own times are to each other,
/// over all threads.
class StepTimer {
 public:
  StepTimer(const runtime::Plan& plan, int threads)
      : plan_(plan),
        times_(plan.labels.size()),
        laps_(static_cast<std::size_t>(threads) * plan.labels.size()) {}

  /// Lets the frame's runs note the times within banded steps. The timer has to outlive them.
  void time_laps(runtime::Frame& frame) {
    frame.laps = laps_.data();
    frame.lap_stride = static_cast<std::ptrdiff_t>(plan_.labels.size());
  }

  void begin_run() {
    for (std::vector<double>& of : times_) of.push_back(0);
  }

  void begin_step() {
    std::fill(laps_.begin(), laps_.end(), 0);
    before_ = std::chrono::steady_clock::now();
  }

  void end_step(std::size_t step) {
    const std::chrono::duration<double, std::milli> all = std::chrono::steady_clock::now() - before_;
    std::size_t first = 0, count = 0;
    for (std::size_t i = 0; i < plan_.labels.size(); ++i) {
      if (plan_.labels[i].step == step && count++ == 0) first = i;
    }
    std::int64_t total = 0;
    for (const std::int64_t lap : laps_) total += lap;
    for (std::size_t i = 0; i < count; ++i) {
      times_[first + i].back() +=
          all.count() * (total == 0 ? 1.0 / static_cast<double>(count) : share(i, total));
    }
  }

  std::vector<StepTime> medians() const {
    std::vector<StepTime> steps;
    for (std::size_t i = 0; i < times_.size(); ++i) {
      const auto& [name, kind, macs, step] = plan_.labels[i];
      steps.push_back({.name = name, .kind = kind, .macs = macs, .median_ms = quantile(times_[i], 0.5)});
    }
    return steps;
  }

 private:
  /// Of the i-th lap, over all threads.
  double share(std::size_t i, std::int64_t total) const {
    std::int64_t sum = 0;
    for (std::size_t at = i; at < laps_.size(); at += plan_.labels.size()) sum += laps_[at];
    return static_cast<double>(sum) / static_cast<double>(total);
  }

  const runtime::Plan& plan_;
  std::vector<std::vector<double>> times_;  ///< by label and run
  std::vector<std::int64_t> laps_;          ///< of the running step: by thread and its own labels
  std::chrono::steady_clock::time_point before_;
};

}  // namespace

struct Session::Impl {
  std::shared_ptr<const Model> model;
  SessionOptions options;
  AlignedBuffer arena;
  AlignedBuffer workspace;
  ThreadPool pool;
  ThreadPool alone{1};                     ///< the caller
  std::ptrdiff_t apart_floats;             ///< of one image's arena
  AlignedBuffer apart;                     ///< arenas of single images, one for each thread
  const runtime::Plan* running = nullptr;  ///< the sub-net of the run that was begun
  int next = 0;                            ///< its next step, see at()
  std::optional<runtime::Frame> begun;     ///< what it brought; a value from the first begin() on

  Impl(std::shared_ptr<const Model> shared, const SessionOptions& wanted, std::size_t arena_floats,
       std::size_t workspace_floats, std::ptrdiff_t floats_of_one)
      : model(std::move(shared)),
        options(wanted),
        arena(arena_floats),
        workspace(workspace_floats),
        pool(wanted.threads),
        apart_floats(floats_of_one),
        apart(static_cast<std::size_t>(floats_of_one * std::min(wanted.threads, wanted.max_batch))) {
    commit(apart);
    commit(arena);
    commit(workspace);
  }

  Status check(std::size_t images, int batch, int subnet, std::size_t logits) const {
    const Model::Impl& known = model->impl();
    if (batch < 1 || batch > options.max_batch) {
      return Error{
          fmt::format("a batch of {} does not fit this session; it takes 1 to {}", batch, options.max_batch)};
    }
    if (subnet < 0 || static_cast<std::size_t>(subnet) >= known.plans.size()) {
      return Error{fmt::format("there is no sub-net number {}; the model has 0 to {}", subnet,
                               known.plans.size() - 1)};
    }
    const auto count = static_cast<std::size_t>(batch);
    if (images != count * known.input_size) {
      return wrong_size("images", images, count * known.input_size, batch);
    }
    if (logits != count * known.output_size) {
      return wrong_size("logits", logits, count * known.output_size, batch);
    }
    return {};
  }

  /// What one step of a run does: a step of the plan for as many images as there are threads, each by one, or
  /// for the whole batch.
  struct At {
    std::size_t step = 0;
    int images = -1;  ///< the number of those images, or -1
  };

  /// How often the plan's first steps are done.
  static int turns(const runtime::Frame& frame) {
    return (frame.batch + frame.pool.size() - 1) / frame.pool.size();
  }
  static int apart_of(const runtime::Plan& plan, const runtime::Frame& frame) {
    return frame.batch > 1 ? plan.apart : 0;
  }
  static int steps_of(const runtime::Plan& plan, const runtime::Frame& frame) {
    return static_cast<int>(plan.steps.size()) + (turns(frame) - 1) * apart_of(plan, frame);
  }
  static At at(const runtime::Plan& plan, const runtime::Frame& frame, int number) {
    const int first = apart_of(plan, frame);
    if (number < first * turns(frame)) {
      return {.step = static_cast<std::size_t>(number % first), .images = number / first};
    }
    return {.step = static_cast<std::size_t>(number - first * (turns(frame) - 1))};
  }

  void run_step(const runtime::Plan& plan, const At& at, const runtime::Frame& all) {
    if (at.images < 0) return concertina::run_step(plan.steps[at.step], all);
    const int threads = all.pool.size(), first = at.images * threads;
    const int count = std::min(threads, all.batch - first);
    all.pool.parallel_for(count, [&](int slot, int thread) {
      const int image = first + slot;
      float* const memory = apart.data() + slot * apart_floats;
      concertina::run_step(
          plan.steps[at.step],
          {.batch = 1,
           .images = all.images + static_cast<std::size_t>(image) * model->impl().input_size,
           .logits = nullptr,
           .arena = memory,
           .workspace = all.workspace + static_cast<std::size_t>(thread) * plan.workspace_floats,
           .pool = alone,
           .alone = alone,
           .laps = all.laps == nullptr ? nullptr : all.laps + thread * all.lap_stride});
      if (at.step + 1 < static_cast<std::size_t>(plan.apart)) return;
      for (const auto& [buffer, floats] : plan.carried) {
        std::copy_n(memory + buffer, floats, all.arena + buffer * all.batch + image * floats);
      }
    });
  }

  const runtime::Plan& plan(int subnet) const { return model->impl().plans[subnet]; }

  runtime::Frame frame(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
    return {.batch = batch,
            .images = images.data(),
            .logits = logits.data(),
            .arena = arena.data(),
            .workspace = workspace.data(),
            .pool = plan(subnet).layer_macs * batch >= kMacsWorthAThread ? pool : alone,
            .alone = alone};
  }
};

Result<Session> Session::make(std::shared_ptr<const Model> model, const SessionOptions& options) {
  RETURN_IF_ERROR(check_options(*model, options));
  std::ptrdiff_t floats = 0, apart = 0;
  std::size_t workspace = 0;
  for (const runtime::Plan& plan : model->impl().plans) {
    floats = std::max(floats, plan.arena_floats);
    workspace = std::max(workspace, plan.workspace_floats);
    if (plan.apart > 0 && options.max_batch > 1) apart = std::max(apart, plan.arena_floats);
  }
  const std::size_t total = static_cast<std::size_t>(floats) * static_cast<std::size_t>(options.max_batch);
  try {
    return Session(std::make_unique<Impl>(std::move(model), options, total,
                                          workspace * static_cast<std::size_t>(options.threads), apart));
  } catch (const std::bad_alloc&) {
    return Error{fmt::format("there is no memory for the {} MB that a batch of {} needs",
                             total * sizeof(float) >> 20, options.max_batch)};
  } catch (const std::system_error& e) {
    return Error{fmt::format("the system refuses {} threads ({}); ask for fewer", options.threads, e.what())};
  }
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Status Session::run(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
  RETURN_IF_ERROR(begin(images, batch, subnet, logits));
  advance(std::numeric_limits<int>::max());
  return {};
}

Status Session::begin(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
  RETURN_IF_ERROR(impl_->check(images.size(), batch, subnet, logits.size()));
  impl_->begun.emplace(impl_->frame(images, batch, subnet, logits));
  impl_->running = &impl_->plan(subnet);
  impl_->next = 0;
  return {};
}

bool Session::advance(int steps) {
  if (impl_->running == nullptr) return true;
  const runtime::Plan& plan = *impl_->running;
  const runtime::Frame& frame = *impl_->begun;
  const int all = Impl::steps_of(plan, frame);
  const int end = impl_->next + std::min(std::max(steps, 0), all - impl_->next);
  for (; impl_->next < end; ++impl_->next) {
    impl_->run_step(plan, Impl::at(plan, frame, impl_->next), frame);
  }
  return impl_->next == all;
}

int Session::steps(int subnet) const {
  return static_cast<int>(impl_->plan(subnet).steps.size());
}

Result<std::vector<StepTime>> Session::profile(std::span<const float> images, int batch, int subnet,
                                               int runs) {
  if (runs < 1) return Error{fmt::format("{} runs cannot be timed; ask for at least 1", runs)};
  std::vector<float> logits(static_cast<std::size_t>(std::max(batch, 0)) * model().output_size());
  RETURN_IF_ERROR(run(images, batch, subnet, logits));  // refuses what it does not know
  const runtime::Plan& plan = impl_->plan(subnet);
  StepTimer timer(plan, options().threads);
  runtime::Frame frame = impl_->frame(images, batch, subnet, logits);
  timer.time_laps(frame);
  for (int i = 0; i < runs; ++i) {
    timer.begin_run();
    for (int number = 0; number < Impl::steps_of(plan, frame); ++number) {
      const Impl::At at = Impl::at(plan, frame, number);
      timer.begin_step();
      impl_->run_step(plan, at, frame);
      timer.end_step(at.step);
    }
  }
  return timer.medians();
}

const Model& Session::model() const {
  return *impl_->model;
}

const SessionOptions& Session::options() const {
  return impl_->options;
}

}  // namespace concertina
