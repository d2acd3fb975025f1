#include "common/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace concertina::apps {
namespace {

constexpr int kBarWidth = 24;

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(std::max(0.0, seconds) + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02} min", s / 60, s % 60);
  return fmt::format("{}:{:02} h", s / 3600, s / 60 % 60);
}

/// A terminal that can go back to a line's start and clear it.
bool can_draw() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

ProgressBar::ProgressBar() : terminal_(can_draw()) {}

ProgressBar::~ProgressBar() {
  end_line();
}

void ProgressBar::start(std::string_view task, std::int64_t total) {
  end_line();
  task_ = task;
  total_ = total;
  first_ = -1;
  in_seconds_ = false;
  started_ = Clock::now();
  shown_ = {};
}

void ProgressBar::start_seconds(std::string_view task, std::int64_t total) {
  start(task, total);
  in_seconds_ = true;
  update(0, "");
}

void ProgressBar::update(std::int64_t done, std::string_view note) {
  if (first_ < 0) first_ = std::max<std::int64_t>(0, done - 1);
  const Clock::time_point now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(15);
  if (done < total_ && now - shown_ < pause) return;
  shown_ = now;
  show(done, note, now);
}

void ProgressBar::message(std::string_view text) {
  end_line();
  fmt::print(stderr, "{}\n", text);
}

/// What is left, or at the end what it took; empty while nothing is known.
std::string ProgressBar::time(std::int64_t done, double elapsed) const {
  const auto rest = static_cast<double>(total_ - done);
  if (done >= total_) return "in " + duration(elapsed);
  if (in_seconds_) return duration(rest) + " left";
  if (done == first_) return "";
  return duration(elapsed * rest / static_cast<double>(done - first_)) + " left";
}

void ProgressBar::show(std::int64_t done, std::string_view note, Clock::time_point now) {
  const std::string left = time(done, std::chrono::duration<double>(now - started_).count());
  const char* unit = in_seconds_ ? " s" : "";
  if (!terminal_) {
    fmt::print(stderr, "{} {}/{}{}{}{}{}{}\n", task_, done, total_, unit, note.empty() ? "" : ", ", note,
               left.empty() ? "" : ", ", left);
    return;
  }
  const auto filled = static_cast<int>(kBarWidth * done / std::max<std::int64_t>(1, total_));
  fmt::print(stderr, "\r\033[K{:<9} {}{} {}/{}{}  {}  {}", task_,
             std::string(static_cast<std::size_t>(filled), '='),
             std::string(static_cast<std::size_t>(kBarWidth - filled), '.'), done, total_, unit, note, left);
  std::fflush(stderr);
  line_open_ = true;
  if (done == total_) end_line();
}

void ProgressBar::end_line() {
  if (line_open_) fmt::print(stderr, "\n");
  line_open_ = false;
}

}  // namespace concertina::apps
