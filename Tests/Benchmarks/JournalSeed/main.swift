import Glibc
import Orchestrator
import Rotation
import SQLiteStore

// `journal-seed DATABASE COUNT`: stores that many clusters, each with a finished rotation, so that
// omnid's start with a full journal can be measured.

let words = CommandLine.arguments
guard words.count == 3, let count = Int(words[2]), count > 0 else {
  let usage = "usage: journal-seed DATABASE COUNT\n"
  write(2, usage, usage.utf8.count)
  exit(2)
}
let now = Rotation.Instant(secondsSince1970: Int64(time(nil)))
let authorities = try SampleAuthorities(now: now)
let store = try SQLiteStore(path: words[1])
for number in 0..<count {
  let cluster = SampleCluster(number: number, authorities: authorities, now: now)
  _ = try await store.commit([
    .putCluster(cluster.record, expected: 0), .putRotation(cluster.rotation, expected: 0),
  ])
}
await store.close()
