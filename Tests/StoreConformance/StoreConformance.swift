public import Orchestrator

/// What every store promises (see `RotationStore`), as cases that the tests of any store can run.
public enum StoreConformance {
  /// A store that was just made, and how it is found again.
  public struct Subject: Sendable {
    public let store: any RotationStore
    /// The store as a new process finds it after the old one was killed.
    public let reopen: @Sendable () throws -> any RotationStore

    public init(
      _ store: any RotationStore, reopen: @escaping @Sendable () throws -> any RotationStore
    ) {
      self.store = store
      self.reopen = reopen
    }

    func afterKill() throws -> any RotationStore { try reopen() }
  }

  /// One promise.
  public struct Case: Sendable, CustomStringConvertible {
    /// The promise, as a sentence.
    public let description: String
    private let body: @Sendable (Subject) async throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
      self.description = description
      self.body = body
    }

    /// - Parameter subject: of this case alone: it leaves records behind.
    /// - Throws: `Violation` when the store does not keep the promise; what the store throws.
    public func run(_ subject: Subject) async throws { try await body(subject) }
  }

  /// A promise that was not kept.
  public struct Violation: Error, CustomStringConvertible {
    public let description: String
  }

  public static let cases: [Case] = [
    Case("A new store is empty, at revision 0", empty),
    Case("Every record comes back as it was, also after the process was killed", roundTrip),
    Case("Revisions rise with every commit, whatever it changes, and never begin anew", revisions),
    Case("A record is only replaced at the revision it has", compareAndSwap),
    Case("One failed expectation undoes the whole commit", atomicity),
    Case(
      "A step in which only some machines have changed comes back whole, also after the process was killed",
      steps),
    Case("A cluster has one rotation of each ordinal", ordinals),
    Case("The history is read newest first, page by page, each cluster by itself", history),
    Case("Clusters are read page by page in the order of their names", pages),
    Case("Pruning and removing take rotations and answers along, and nobody else's", removal),
    Case(
      "Of many who write at once each is told whether it was first, and nothing is lost",
      concurrentWriters),
    Case("Odd names are kept apart", names),
    Case("Of each rotation so many answers are kept and no more", answers),
  ]

  static func expect(
    _ condition: Bool, _ note: String = "", file: StaticString = #fileID, line: UInt = #line
  ) throws {
    if !condition { throw Violation(description: "\(file):\(line): not so \(note)") }
  }

  /// The commit is refused because of what is in the store, and leaves that as it was.
  static func expectConflict(
    _ store: any RotationStore, _ changes: [StoreChange], _ note: String,
    file: StaticString = #fileID, line: UInt = #line
  ) async throws {
    let before = try await store.load()
    do throws(StoreError) {
      _ = try await store.commit(changes)
    } catch {
      try expect(error.code == .conflict, "\(note): \(error.message)", file: file, line: line)
      return try await expect(store.load() == before, note, file: file, line: line)
    }
    throw Violation(description: "\(file):\(line): \(note): it was committed")
  }
}
