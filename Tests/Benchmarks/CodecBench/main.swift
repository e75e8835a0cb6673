import Glibc
import ProtoCodec
import Schema

// Encodes and decodes a RotationStatus with 50 machines.
//
//   codec-bench write FILE      writes the message, for the peer to decode and encode
//   codec-bench run [SECONDS]   prints "encode NS" and "decode NS" per message

/// Processor time, which other programs on the machine do not lengthen.
func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Nanoseconds per call of `body`, over about `seconds`.
func measure(_ seconds: Double, _ body: () -> Int) -> Double {
  var calls = 0
  var sum = 0
  let start = now()
  let end = start + UInt64(seconds * 1e9)
  while now() < end {
    for _ in 0..<64 { sum &+= body() }
    calls += 64
  }
  precondition(sum != 0)
  return Double(now() - start) / Double(calls)
}

func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "wb") else { return perror(path) }
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

let arguments = CommandLine.arguments.dropFirst()
let message = sampleStatus(machines: 50)
let bytes = message.serialized()
switch arguments.first {
case "write" where arguments.count == 2:
  write(bytes, to: arguments.last!)
case "run":
  let seconds = arguments.dropFirst().first.flatMap(Double.init) ?? 1
  let decoded = try RotationStatus(serialized: bytes)
  precondition(decoded == message)
  let encode = measure(seconds) { message.serialized().count }
  let decode = measure(seconds) {
    do {
      return try RotationStatus(serialized: bytes).machines.count
    } catch {
      fatalError("\(error)")
    }
  }
  print("encode \(encode)\ndecode \(decode)")
default:
  print("usage: codec-bench write FILE | run [SECONDS]")
  exit(2)
}
