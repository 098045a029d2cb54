#include "scheduler/descriptor.h"

#include "base/check.h"

namespace ioengine {

DescriptorTable::~DescriptorTable() {
  for (Descriptor* descriptor : by_number_) {
    IOE_CHECK(descriptor == nullptr || descriptor->pending == 0);
    delete descriptor;
  }
}

Descriptor* DescriptorTable::find_or_add(int fd) {
  const size_t index = static_cast<size_t>(fd);
  if (index >= by_number_.size()) by_number_.resize(index + index / 2 + 64, nullptr);
  Descriptor*& entry = by_number_[index];
  if (entry == nullptr) {
    entry = new Descriptor(fd);
    ++size_;
  }
  return entry;
}

void DescriptorTable::detach(Descriptor* descriptor) {
  IOE_CHECK(!descriptor->detached);
  by_number_[static_cast<size_t>(descriptor->fd)] = nullptr;
  descriptor->detached = true;
  --size_;
  if (descriptor->pending == 0) delete descriptor;
}

}  // namespace ioengine
