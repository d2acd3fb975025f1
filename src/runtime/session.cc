#include "concertina/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <system_error>

#include "base/aligned_buffer.h"
#include "base/float_mode.h"
#include "base/out_of_memory.h"
#include "base/sole_use.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "runtime/model_impl.h"
#include "runtime/step_timer.h"

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

/// Floats of memory for any of the sub-nets.
struct Needs {
  std::size_t arena = 0;
  std::size_t workspace = 0;
  std::ptrdiff_t image_arena = 0;  ///< for a single image of a batch
};

Needs needs_of(const Model::Impl& model, const SessionOptions& options) {
  const auto batch = static_cast<std::size_t>(options.max_batch),
             threads = static_cast<std::size_t>(options.threads);
  Needs needs;
  for (const runtime::Plan& plan : model.plans) {
    needs.arena =
        std::max(needs.arena, (static_cast<std::size_t>(plan.arena_floats) + plan.scaled_floats()) * batch);
    needs.workspace = std::max(needs.workspace, plan.workspace_floats * threads);
    if (plan.per_image_steps > 0 && options.max_batch > 1)
      needs.image_arena = std::max(needs.image_arena, plan.arena_floats);
  }
  return needs;
}

/// One step of a run: a step of the plan for a round of images, as many as there are threads and each by one,
/// or for the whole batch.
struct StepRef {
  std::size_t step = 0;  ///< its index in the plan
  int round = -1;        ///< the round's number; -1: the whole batch
};

/// The steps of a run in order: the plan's first ones in each round of images, then the others.
class StepOrder {
 public:
  StepOrder(const runtime::Plan& plan, const runtime::Frame& frame)
      : plan_steps_(static_cast<int>(plan.steps.size())),
        per_image_steps_(frame.batch > 1 ? plan.per_image_steps : 0),
        image_rounds_((frame.batch + frame.pool.size() - 1) / frame.pool.size()) {}

  int size() const { return plan_steps_ + (image_rounds_ - 1) * per_image_steps_; }

  StepRef operator[](int i) const {
    if (i < per_image_steps_ * image_rounds_) {
      return {.step = static_cast<std::size_t>(i % per_image_steps_), .round = i / per_image_steps_};
    }
    return {.step = static_cast<std::size_t>(i - per_image_steps_ * (image_rounds_ - 1))};
  }

 private:
  int plan_steps_;
  int per_image_steps_;  ///< those that are done in rounds
  int image_rounds_;
};

}  // namespace

struct Session::Impl {
  std::shared_ptr<const Model> model;
  SessionOptions options;
  AlignedBuffer arena;
  AlignedBuffer workspace;
  ThreadPool pool;
  ThreadPool caller{1};                    ///< the caller's thread
  std::ptrdiff_t image_arena_floats;       ///< of one image's arena
  AlignedBuffer image_arenas;              ///< arenas of single images, one for each thread
  const runtime::Plan* running = nullptr;  ///< the sub-net of the run that was begun
  int next = 0;                            ///< its next step, in StepOrder
  std::optional<runtime::Frame> begun;     ///< what it brought; a value from the first begin() on
  SoleUse use;

  /// `needs`: of all sub-nets.
  Impl(std::shared_ptr<const Model> shared, const SessionOptions& wanted, const Needs& needs)
      : model(std::move(shared)),
        options(wanted),
        arena(needs.arena),
        workspace(needs.workspace),
        pool(wanted.threads),
        image_arena_floats(needs.image_arena),
        image_arenas(
            static_cast<std::size_t>(needs.image_arena * std::min(wanted.threads, wanted.max_batch))) {
    commit(image_arenas);
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
    const std::size_t whole = count * known.input_size, scaled_down = count * plan(subnet).image_floats;
    if (images != whole && images != scaled_down) {
      Error error = wrong_size("images", images, whole, batch);
      if (scaled_down < whole)
        error.message += fmt::format(", or {} at the sub-net's resolution", scaled_down);
      return error;
    }
    if (logits != count * known.output_size) {
      return wrong_size("logits", logits, count * known.output_size, batch);
    }
    return {};
  }

  void run_step(const runtime::Plan& plan, const StepRef& ref, const runtime::Frame& all) {
    if (ref.round < 0) return runtime::run(plan.steps[ref.step], all);
    const int threads = all.pool.size(), first = ref.round * threads;
    const int count = std::min(threads, all.batch - first);
    const std::size_t image_floats = all.scaled == nullptr ? plan.image_floats : model->impl().input_size;
    all.pool.parallel_for(count, [&](int slot, int thread) {
      const int image = first + slot;
      float* const memory = image_arenas.data() + slot * image_arena_floats;
      runtime::run(
          plan.steps[ref.step],
          {.batch = 1,
           .images = all.images + static_cast<std::size_t>(image) * image_floats,
           .scaled = all.scaled == nullptr ? nullptr
                                           : all.scaled + static_cast<std::size_t>(image) * plan.image_floats,
           .logits = nullptr,
           .arena = memory,
           .workspace = all.workspace + static_cast<std::size_t>(thread) * plan.workspace_floats,
           .pool = caller,
           .caller = caller,
           .lap_times = all.lap_times == nullptr ? nullptr : all.lap_times + thread * all.lap_time_stride});
      if (ref.step + 1 < static_cast<std::size_t>(plan.per_image_steps)) return;
      for (const auto& [buffer, floats] : plan.carried) {
        std::copy_n(memory + buffer, floats, all.arena + buffer * all.batch + image * floats);
      }
    });
  }

  const runtime::Plan& plan(int subnet) const { return model->impl().plans[subnet]; }

  runtime::Frame frame(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
    const bool small = images.size() == static_cast<std::size_t>(batch) * plan(subnet).image_floats;
    return {.batch = batch,
            .images = images.data(),
            .scaled = small ? nullptr : arena.data() + plan(subnet).arena_floats * batch,
            .logits = logits.data(),
            .arena = arena.data(),
            .workspace = workspace.data(),
            .pool = plan(subnet).layer_macs * batch >= kMacsWorthAThread ? pool : caller,
            .caller = caller};
  }

  Status begin(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
    RETURN_IF_ERROR(check(images.size(), batch, subnet, logits.size()));
    begun.emplace(frame(images, batch, subnet, logits));
    running = &plan(subnet);
    next = 0;
    return {};
  }

  bool advance(int steps) {
    if (running == nullptr) return true;
    const FlushDenormals flush;
    const StepOrder order(*running, *begun);
    const int end = next + std::min(std::max(steps, 0), order.size() - next);
    for (; next < end; ++next) run_step(*running, order[next], *begun);
    return next == order.size();
  }

  Status run(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
    RETURN_IF_ERROR(begin(images, batch, subnet, logits));
    advance(std::numeric_limits<int>::max());
    return {};
  }
};

Result<Session> Session::make(std::shared_ptr<const Model> model, const SessionOptions& options) try {
  RETURN_IF_ERROR(check_options(*model, options));
  const Needs needs = needs_of(model->impl(), options);
  try {
    return Session(std::make_unique<Impl>(std::move(model), options, needs));
  } catch (const std::bad_alloc&) {
    const std::size_t megabytes = needs.arena * sizeof(float) >> 20;
    if (megabytes == 0) return out_of_memory();
    return Error{fmt::format("there is no memory for the {} MB that a batch of {} needs", megabytes,
                             options.max_batch)};
  } catch (const std::system_error& e) {
    return Error{fmt::format("the system refuses {} threads ({}); ask for fewer", options.threads, e.what())};
  }
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Status Session::run(std::span<const float> images, int batch, int subnet, std::span<float> logits) try {
  const SoleUse::Turn turn(impl_->use);
  if (!turn) return SoleUse::taken("session");
  return impl_->run(images, batch, subnet, logits);
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Status Session::begin(std::span<const float> images, int batch, int subnet, std::span<float> logits) try {
  const SoleUse::Turn turn(impl_->use);
  if (!turn) return SoleUse::taken("session");
  return impl_->begin(images, batch, subnet, logits);
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

bool Session::advance(int steps) {
  const SoleUse::Turn turn(impl_->use);
  return turn && impl_->advance(steps);
}

int Session::steps(int subnet) const {
  return static_cast<int>(impl_->plan(subnet).steps.size());
}

Result<std::vector<StepTime>> Session::profile(std::span<const float> images, int batch, int subnet,
                                               int runs) try {
  if (runs < 1) return Error{fmt::format("{} runs cannot be timed; ask for at least 1", runs)};
  std::vector<float> logits(static_cast<std::size_t>(std::max(batch, 0)) * model().output_size());
  const SoleUse::Turn turn(impl_->use);
  if (!turn) return SoleUse::taken("session");
  RETURN_IF_ERROR(impl_->run(images, batch, subnet, logits));  // refuses what it does not know
  const runtime::Plan& plan = impl_->plan(subnet);
  runtime::StepTimer timer(plan, options().threads);
  runtime::Frame frame = impl_->frame(images, batch, subnet, logits);
  const FlushDenormals flush;
  timer.time_banded_steps(frame);
  const StepOrder order(plan, frame);
  for (int i = 0; i < runs; ++i) {
    timer.begin_run();
    for (int next = 0; next < order.size(); ++next) {
      timer.begin_step();
      impl_->run_step(plan, order[next], frame);
      timer.end_step(order[next].step);
    }
  }
  return timer.medians();
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

const Model& Session::model() const {
  return *impl_->model;
}

const SessionOptions& Session::options() const {
  return impl_->options;
}

}  // namespace concertina
