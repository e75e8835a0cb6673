import Crypto
import Glibc
import Orchestrator
import Rotation
import SQLiteStore

// `journal-seed DATABASE MASTER-KEY COUNT`: stores that many clusters, each with a finished rotation,
// so that omnid's start with a full journal can be measured. The second word is a file of 32 bytes.

let words = CommandLine.arguments
guard words.count == 4, let count = Int(words[3]), count > 0, let key = fopen(words[2], "r") else {
  let usage = "usage: journal-seed DATABASE MASTER-KEY COUNT\n"
  write(2, usage, usage.utf8.count)
  exit(2)
}
let now = Rotation.Instant(secondsSince1970: Int64(time(nil)))
var masterKey = [UInt8](repeating: 0, count: Sealer.keySize)
guard fread(&masterKey, 1, masterKey.count, key) == masterKey.count else { exit(2) }
let sealer = try Sealer(masterKey: masterKey)
let authorities = try SampleAuthorities(now: now, sealer: sealer)
let store = try SQLiteStore(path: words[1], sealer: sealer)
for number in 0..<count {
  let cluster = SampleCluster(number: number, authorities: authorities, now: now)
  _ = try await store.commit([
    .putCluster(cluster.record, expected: 0), .putRotation(cluster.rotation, expected: 0),
  ])
}
await store.close()
