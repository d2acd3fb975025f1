#pragma once

#include <filesystem>

#include "programs/programs.h"

namespace concertina::testing {

/// A recipe, recipe.toml, that trains a tiny network in seconds on the images of write_toy_data(), in data/.
class ToyPipeline : public ProgramTest {
 protected:
  void SetUp() override;

  /// concertina-train VERB, of the recipe or of another file.
  std::vector<std::string> train_command(const std::string& verb, const std::filesystem::path& out,
                                         const std::vector<std::string>& more = {},
                                         const char* file = "recipe.toml") const;
  ProcessResult train(const std::string& verb, const std::filesystem::path& out,
                      const std::vector<std::string>& more = {}) const;
};

/// Writes a data set in IDX files that a tiny network learns in seconds: 16x16 gray images, told apart by
/// where a noisy bright patch lies; labels repeat 0, 1, 2.
void write_toy_data(const std::filesystem::path& folder, int train_images, int test_images);

}  // namespace concertina::testing
