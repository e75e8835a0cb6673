import Orchestrator
import RPC
import Schema
import Synchronization

/// The answers of GetRotationStatus as bytes, each for as long as it says what is current: whoever polls a rotation
/// asks more often than it changes.
final class StatusAnswers: Sendable {
  typealias Answer = EncodedMessage<GetRotationStatusResponse>

  /// By cluster.
  private let answers = Mutex<[String: (update: RotationUpdate, answer: Answer)]>([:])

  /// Answers that are kept; one more, and all begin anew.
  static let kept = 256

  /// The answer that shows the update.
  ///
  /// - Throws: what the codec throws.
  func answer(_ update: RotationUpdate) throws -> Answer {
    let cluster = update.snapshot.cluster
    let known = answers.withLock { $0[cluster] }
    if let known, known.update === update { return known.answer }
    let answer = try Self.encoded(update.snapshot)
    answers.withLock { answers in
      if answers.count >= Self.kept && answers[cluster] == nil { answers = [:] }
      answers[cluster] = (update, answer)
    }
    return answer
  }

  /// How many are kept now.
  var count: Int { answers.withLock { $0.count } }

  static func encoded(_ snapshot: RotationSnapshot) throws -> Answer {
    var response = GetRotationStatusResponse()
    response.status = RotationStatus(snapshot)
    return try Answer(response, codec: ManagementServiceMethods.getRotationStatus.response)
  }
}
