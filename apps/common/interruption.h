#pragma once

#include <signal.h>

namespace concertina::apps {

/// For as long as it lives, Ctrl-C and a polite kill end nothing but what asks here, in this thread and in
/// those that it starts.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// True if one has come before or comes within the time.
  bool within(int milliseconds);
  bool came() { return within(0); }

  /// Ends the process as the one that came would have. Precondition: came().
  [[noreturn]] void obey();

 private:
  sigset_t signals_{}, before_{};
  int signal_ = 0;  // that came
};

}  // namespace concertina::apps
