#pragma once

#include <cstdint>
#include <string_view>

namespace concertina {

/// Where long work tells how far it is. Library code never prints; a program passes one that does.
class Progress {
 public:
  virtual ~Progress() = default;

  /// A task of `total` equal steps starts; it ends when `total` steps are done or another one starts.
  virtual void start(std::string_view task, std::int64_t total) = 0;

  /// The same for a task that ends when a time is up: its steps are seconds.
  virtual void start_seconds(std::string_view task, std::int64_t total) { start(task, total); }

  /// `done` steps of the task are done in all; `note` says what is known now ("loss 0.312").
  virtual void update(std::int64_t done, std::string_view note) = 0;

  /// Something worth a line of its own, shown as it is.
  virtual void message(std::string_view text) = 0;
};

/// Tells nobody.
class SilentProgress final : public Progress {
 public:
  void start(std::string_view, std::int64_t) override {}
  void update(std::int64_t, std::string_view) override {}
  void message(std::string_view) override {}
};

}  // namespace concertina
