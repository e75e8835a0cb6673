import Daemon
import ManagementService
import Metrics
import Orchestrator
import SQLiteStore
import Synchronization

/// Keeps the files of `--trust-bundle-dir` as the records have it: `DIR/CLUSTER/talos-ca.pem`, `…/kubernetes-ca.pem` and
/// `…/bundle.json`.
///
/// What is on record decides, again and again: a file that was lost or edited is put right, the files of a cluster that
/// was forgotten go. A file that cannot be written holds no rotation up; it is told in the log and the metrics, and tried
/// again.
final class TrustDirectory: TrustPublisher, Sendable {
  /// How long a rotation waits for its files at the most.
  static let patience = Duration.seconds(10)
  /// How often it is looked whether the records have changed.
  static let interval = Duration.milliseconds(500)
  /// How often every file is compared, changed records or not, and a failed attempt is repeated at the latest.
  static let round = Duration.seconds(30)
  /// After how long a failed attempt is repeated.
  static let retry = Duration.seconds(5)

  private struct State {
    /// What was last laid out of each cluster, so that something older does not come after it.
    var laid: [String: ClusterTrust] = [:]
    /// The clusters whose files this process has begun to lay out.
    var own: Set<String> = []
    /// Why something cannot be laid out, by cluster; by "" for what concerns the directory.
    var troubles: [String: String] = [:]
    /// What the log has said last.
    var told = ""
    var failures = 0
    /// Whether all clusters have been laid out once.
    var isComplete = false
  }

  private let folder: PublishedFolder
  private let logger: Logger
  private let thread = BlockingThread(label: "omnid.trust")
  private let state = Mutex(State())

  init(_ path: String, logger: Logger) {
    folder = PublishedFolder(path)
    self.logger = logger
  }

  var metrics: TrustBundleMetrics {
    state.withLock {
      TrustBundleMetrics(isWritten: $0.isComplete && $0.troubles.isEmpty, failures: $0.failures)
    }
  }

  func publish(_ trust: ClusterTrust) async {
    let (ends, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    // Detached: what is written outlives a rotation that is cancelled meanwhile.
    Task.detached { [self] in
      await thread.run {
        lay(trust)
        tell()
      }
      end.yield()
    }
    let timer = Task.detached {
      try? await Task.sleep(for: Self.patience)
      end.yield()
    }
    for await _ in ends { break }
    timer.cancel()
  }

  /// Keeps the files right until the task is cancelled, or the orchestrator stops.
  func follow(_ orchestrator: RotationOrchestrator) async {
    let clock = ContinuousClock()
    var seen: Revision?
    var due = clock.now
    while !Task.isCancelled {
      let revision = orchestrator.revision
      let isRound = clock.now >= due
      if revision != seen || isRound {
        guard let trust = try? await orchestrator.trustOfAll() else { return }
        let isDone = await thread.run { reconcile(trust, at: revision, isRound: isRound) }
        seen = revision
        if isRound || !isDone { due = clock.now + (isDone ? Self.round : Self.retry) }
      }
      guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
    }
  }

  // MARK: - On the thread

  /// - Parameters:
  ///   - revision: that of the store before `all` was read.
  ///   - isRound: whether files are compared that should be right.
  /// - Returns: whether all is as it shall be.
  private func reconcile(_ all: [ClusterTrust], at revision: Revision, isRound: Bool) -> Bool {
    let laid = state.withLock { $0.laid }
    for trust in all where isRound || laid[trust.cluster].map(trust.isSame) != true { lay(trust) }
    sweep(Set(all.map(\.cluster)), at: revision)
    tell()
    return state.withLock { state in
      state.isComplete = true
      return state.troubles.isEmpty
    }
  }

  private func lay(_ trust: ClusterTrust) {
    let name = trust.cluster
    guard RotationOrchestrator.isClusterName(name),
      state.withLock({ ($0.laid[name]?.revision ?? 0) <= trust.revision })
    else { return }
    state.withLock { _ = $0.own.insert(name) }
    do {
      let documents = try TrustDocument.all(of: trust)
      for document in documents { try folder.write(document.body, as: document.name, in: name) }
      let others = TrustDocument.names.filter { name in !documents.contains { $0.name == name } }
      if !others.isEmpty { try folder.remove(others, from: name) }
      state.withLock {
        $0.laid[name] = trust
        $0.troubles[name] = nil
      }
    } catch {
      state.withLock {
        $0.failures += 1
        $0.laid[name] = nil
        $0.troubles[name] = explanation(of: error)
      }
    }
  }

  /// Removes the files of clusters that this process has laid out and that are not there any more. Folders from before are
  /// left alone: an omnid with a lost store, or another one with the same directory, would take their CAs from whoever
  /// trusts by them.
  private func sweep(_ clusters: Set<String>, at revision: Revision) {
    do throws(DaemonError) {
      for name in try folder.folders()
      where !clusters.contains(name) && RotationOrchestrator.isClusterName(name) {
        // Not one that was imported since the clusters were read.
        guard
          state.withLock({
            $0.own.contains(name) && ($0.laid[name]?.revision ?? 0) <= revision
          }),
          let summary = folder.read(TrustDocument.summaryName, in: name),
          String(decoding: summary, as: UTF8.self).hasPrefix("{\"cluster\":\"\(name)\"")
        else { continue }
        try folder.remove(TrustDocument.names, from: name)
        state.withLock { state in
          state.laid[name] = nil
          state.own.remove(name)
        }
      }
      state.withLock { state in
        state.troubles[""] = nil
        for name in state.troubles.keys where !clusters.contains(name) && !name.isEmpty {
          state.troubles[name] = nil
        }
      }
    } catch {
      state.withLock {
        $0.failures += 1
        $0.troubles[""] = error.message
      }
    }
  }

  /// Says once that something cannot be written, and once that it can again.
  private func tell() {
    let (before, now, clusters) = state.withLock { state in
      let first = state.troubles.min { $0.key < $1.key }?.value ?? ""
      defer { state.told = first }
      return (state.told, first, state.troubles.count)
    }
    guard before != now else { return }
    if now.isEmpty {
      logger.info("the trust bundles are written again", [.directory: .string(folder.path)])
    } else {
      logger.error(
        "trust bundles cannot be written; rotations go on without waiting for them",
        [
          .directory: .string(folder.path), .error: .string(now),
          .clusters: .integer(Int64(clusters)),
        ])
    }
  }
}
