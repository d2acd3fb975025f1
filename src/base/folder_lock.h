#pragma once

#include <filesystem>
#include <utility>

#include "base/descriptor.h"
#include "concertina/result.h"

namespace concertina {

/// Keeps other holders out of a folder for as long as it lives, in this process and in others; nothing is
/// written, and the lock of a process that was killed is gone.
class FolderLock {
 public:
  /// Makes the folder if it is missing. Fails if another holds it. On file systems without locks it holds
  /// nothing.
  static Result<FolderLock> take(const std::filesystem::path& folder);

 private:
  explicit FolderLock(Descriptor folder) : folder_(std::move(folder)) {}

  Descriptor folder_;
};

}  // namespace concertina
