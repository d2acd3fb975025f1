#include "scheduler/size_plan.h"

#include <algorithm>

namespace concertina::scheduler {
namespace {

/// Accuracy lost for a nanosecond saved from one option to a faster one.
double price(const SizeOption& slow, const SizeOption& fast) {
  return (fast.lost - slow.lost) / static_cast<double>((slow.time - fast.time).count());
}

}  // namespace

std::size_t keep_convex(std::span<SizeOption> options) {
  std::sort(options.begin(), options.end(), [](const SizeOption& a, const SizeOption& b) {
    return a.lost != b.lost ? a.lost < b.lost : a.time < b.time;
  });
  std::size_t kept = 0;
  for (const SizeOption next : options) {
    if (kept > 0 && next.time >= options[kept - 1].time) continue;
    while (kept > 1 && price(options[kept - 1], next) <= price(options[kept - 2], options[kept - 1])) --kept;
    options[kept++] = next;
  }
  return kept;
}

void SizePlan::clear() {
  jobs_.clear();
  options_.clear();
}

void SizePlan::add(std::span<const SizeOption> options, Time target, Time deadline) {
  jobs_.push_back({.first = options_.size(),
                   .options = static_cast<int>(options.size()),
                   .target = target,
                   .deadline = deadline});
  options_.insert(options_.end(), options.begin(), options.end());
}

void SizePlan::solve(Time now) {
  leave_out(now);
  lower(now);
  put_back(now);
}

void SizePlan::leave_out(Time now) {
  longest_.clear();
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    jobs_[j].option = 0;
    const Time least = option(j, jobs_[j].options - 1).time;
    now += least;
    longest_.emplace_back(least, j);
    std::push_heap(longest_.begin(), longest_.end());
    if (now <= jobs_[j].deadline) continue;
    std::pop_heap(longest_.begin(), longest_.end());
    now -= longest_.back().first;
    jobs_[longest_.back().second].option = kLeftOut;
    longest_.pop_back();
  }
}

void SizePlan::push_lowering(std::size_t job) {
  const int at = jobs_[job].option;
  if (at + 1 == jobs_[job].options) return;
  cheapest_.push_back({.price = price(option(job, at), option(job, at + 1)), .job = job});
  std::push_heap(cheapest_.begin(), cheapest_.end());
}

void SizePlan::lower(Time now) {
  cheapest_.clear();
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    if (left_out(j)) continue;
    now += chosen(j).time;
    push_lowering(j);
    while (now > jobs_[j].target && !cheapest_.empty()) {
      std::pop_heap(cheapest_.begin(), cheapest_.end());
      const std::size_t lowered = cheapest_.back().job;
      cheapest_.pop_back();
      now -= chosen(lowered).time;
      ++jobs_[lowered].option;
      now += chosen(lowered).time;
      push_lowering(lowered);
    }
  }
}

void SizePlan::put_back(Time now) {
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    if (!left_out(j)) now += chosen(j).time;
    jobs_[j].slack = left_out(j) ? Time::max() : jobs_[j].target - now;
  }
  for (std::size_t j = jobs_.size(); j-- > 1;)
    jobs_[j - 1].slack = std::min(jobs_[j - 1].slack, jobs_[j].slack);
  while (put_one_back()) {
  }
}

/// That by which most accuracy is won.
bool SizePlan::put_one_back() {
  std::size_t best = jobs_.size();
  double most = 0;
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    const Planned& job = jobs_[j];
    if (job.option <= 0) continue;
    const SizeOption &smaller = chosen(j), &larger = option(j, job.option - 1);
    if (larger.time - smaller.time > job.slack || smaller.lost - larger.lost <= most) continue;
    best = j;
    most = smaller.lost - larger.lost;
  }
  if (best == jobs_.size()) return false;
  const Time more = option(best, jobs_[best].option - 1).time - chosen(best).time;
  --jobs_[best].option;
  for (std::size_t j = best; j < jobs_.size(); ++j) {
    if (jobs_[j].slack != Time::max()) jobs_[j].slack -= more;
  }
  for (std::size_t j = best; j-- > 0;) jobs_[j].slack = std::min(jobs_[j].slack, jobs_[j + 1].slack);
  return true;
}

}  // namespace concertina::scheduler
