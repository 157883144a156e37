#include "common/runtime/files.h"

namespace barnabas::runtime {
namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<Bytes> Files::read(const std::string& path) {
  auto file = open(path, OpenMode::read);
  if (!file) return failure(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return failure(size.error());
  Bytes bytes(static_cast<std::size_t>(*size));
  const auto count = (*file)->read_at(bytes, 0);
  if (!count) return failure(count.error());
  bytes.resize(*count);
  return bytes;
}

Result<void> Files::write_atomically(const std::string& path, BytesView bytes) {
  const std::string temporary = path + ".tmp";
  {
    auto file = open(temporary, OpenMode::create_truncated);
    if (!file) return failure(std::move(file.error()));
    if (auto written = (*file)->write_at(bytes, 0); !written) return written;
    if (auto synced = (*file)->sync(); !synced) return synced;
  }
  if (auto renamed = rename(temporary, path); !renamed) return renamed;
  return sync_directory(directory_of(path));
}

}  // namespace barnabas::runtime
