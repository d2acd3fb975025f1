#include "common/interruption.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace concertina::apps {

Interruption::Interruption() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGINT);
  ::sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

Interruption::~Interruption() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Interruption::within(int milliseconds) {
  if (signal_ > 0) return true;
  const timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000L};
  do {
    signal_ = ::sigtimedwait(&signals_, nullptr, &time);
  } while (signal_ < 0 && errno == EINTR);
  return signal_ > 0;
}

void Interruption::obey() {
  std::fflush(nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  ::signal(signal_, SIG_DFL);
  ::raise(signal_);
  std::_Exit(128 + signal_);
}

}  // namespace concertina::apps
