#include "train/checkpoint.h"

#include <fmt/format.h>

#include <sstream>

#include "base/file.h"
#include "base/try.h"

namespace concertina::train {
namespace {

torch::Tensor from_bytes(const std::string& bytes) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(bytes.size())}, torch::kByte);
  std::copy(bytes.begin(), bytes.end(), tensor.data_ptr<std::uint8_t>());
  return tensor;
}

std::string to_bytes(const torch::Tensor& tensor) {
  const auto* data = tensor.data_ptr<std::uint8_t>();
  return {data, data + tensor.numel()};
}

std::string to_string(torch::serialize::OutputArchive& archive) {
  std::ostringstream stream;
  archive.save_to(stream);
  return std::move(stream).str();
}

// Archives of LibTorch keep no order of their own, and '.' separates their parts; so names stand beside them.
Checkpoint parse(const std::string& bytes) {
  torch::serialize::InputArchive archive;
  archive.load_from(bytes.data(), bytes.size());
  c10::IValue names, epochs, images, macs, optimizers;
  archive.read("names", names);
  archive.read("epochs", epochs);
  archive.read("images", images);
  archive.read("macs", macs);
  archive.read("optimizers", optimizers);
  Checkpoint checkpoint;
  checkpoint.epochs = static_cast<int>(epochs.toInt());
  checkpoint.spent = {images.toInt(), macs.toDouble()};
  std::istringstream lines(names.toStringRef());
  int number = 0;
  for (std::string name; std::getline(lines, name); ++number) {
    archive.read(fmt::format("tensor{}", number), checkpoint.tensors[name]);
  }
  for (std::int64_t i = 0; i < optimizers.toInt(); ++i) {
    torch::Tensor state;
    archive.read(fmt::format("optimizer{}", i), state);
    checkpoint.optimizers.push_back(to_bytes(state));
  }
  return checkpoint;
}

}  // namespace

Status write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  torch::serialize::OutputArchive archive;
  std::string names;
  int number = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    names += name + '\n';
    archive.write(fmt::format("tensor{}", number++), tensor.detach().to(torch::kCPU).contiguous(), true);
  }
  archive.write("names", c10::IValue(names));
  archive.write("epochs", c10::IValue(static_cast<std::int64_t>(checkpoint.epochs)));
  archive.write("images", c10::IValue(checkpoint.spent.images));
  archive.write("macs", c10::IValue(checkpoint.spent.macs));
  archive.write("optimizers", c10::IValue(static_cast<std::int64_t>(checkpoint.optimizers.size())));
  for (std::size_t i = 0; i < checkpoint.optimizers.size(); ++i) {
    archive.write(fmt::format("optimizer{}", i), from_bytes(checkpoint.optimizers[i]), true);
  }
  return write_file(path, to_string(archive));
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string bytes, read_file(path));
  try {
    return parse(bytes);
  } catch (const std::exception&) {
    return Error{fmt::format("'{}' is damaged; delete its folder to make it again", path.string())};
  }
}

std::string save_optimizer(const torch::optim::Optimizer& optimizer) {
  torch::serialize::OutputArchive archive;
  optimizer.save(archive);
  return to_string(archive);
}

void load_optimizer(torch::optim::Optimizer& optimizer, const std::string& state) {
  torch::serialize::InputArchive archive;
  archive.load_from(state.data(), state.size());
  optimizer.load(archive);
}

}  // namespace concertina::train
