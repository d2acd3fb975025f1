#pragma once

#include <chrono>
#include <string>

#include "base/progress.h"

namespace concertina::apps {

/// Shows progress on stderr: a bar with the time left on a terminal, now and then a plain line elsewhere.
class ProgressBar final : public Progress {
 public:
  ProgressBar();
  ~ProgressBar() override;

  void start(std::string_view task, std::int64_t total) override;
  void start_seconds(std::string_view task, std::int64_t total) override;
  void update(std::int64_t done, std::string_view note) override;
  void message(std::string_view text) override;

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::int64_t done, std::string_view note, Clock::time_point now);
  std::string time(std::int64_t done, double elapsed) const;
  void end_line();

  bool terminal_;
  bool line_open_ = false;
  std::string task_;
  std::int64_t total_ = 0;
  std::int64_t first_ = -1;  // steps done when this process took the task up
  bool in_seconds_ = false;
  Clock::time_point started_;
  Clock::time_point shown_;
};

}  // namespace concertina::apps
