// Decodes and encodes the message that codec-bench writes, with C++ protobuf.
//
//   codec_bench FILE [SECONDS]   prints "encode NS", "decode NS" and "decode-arena NS" per message

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>

#include <google/protobuf/arena.h>

#include "omni/management/v1/management.pb.h"

using omni::management::v1::RotationStatus;

// Processor time in nanoseconds, which other programs on the machine do not lengthen.
static double now() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

template <typename Body>
static double measure(double seconds, Body body) {
  size_t sum = 0;
  long calls = 0;
  const double start = now();
  while (now() < start + seconds * 1e9) {
    for (int i = 0; i < 64; i++) sum += body();
    calls += 64;
  }
  if (sum == 0) std::abort();
  return (now() - start) / calls;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: codec_bench FILE [SECONDS]\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1;

  RotationStatus message;
  if (bytes.empty() || !message.ParseFromString(bytes) || message.SerializeAsString() != bytes) {
    std::fprintf(stderr, "codec_bench: the message does not come back as it was\n");
    return 1;
  }
  std::printf("encode %f\n", measure(seconds, [&] { return message.SerializeAsString().size(); }));
  std::printf("decode %f\n", measure(seconds, [&] {
    RotationStatus decoded;
    if (!decoded.ParseFromArray(bytes.data(), bytes.size())) std::abort();
    return decoded.machines_size();
  }));
  std::printf("decode-arena %f\n", measure(seconds, [&] {
    google::protobuf::Arena arena;
    auto* decoded = google::protobuf::Arena::CreateMessage<RotationStatus>(&arena);
    if (!decoded->ParseFromArray(bytes.data(), bytes.size())) std::abort();
    return decoded->machines_size();
  }));
  return 0;
}
