import Daemon
import Encodings
import Notifications
import Release
import Rotation

/// `omnid notify-test`: sends a test event to the targets of `--notify-file`, as `omnid serve` sends its events.
enum NotifyTestCommand {
  /// - Returns: the exit status: 0 when every target has taken the event, 1 when one has not, 2 for wrong usage.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    let settings: NotificationSettings
    let targets: [TargetSettings]
    do throws(UsageError) {
      (settings, targets) = try Self.targets(arguments, facts)
    } catch {
      StandardStream.error.write("omnid: \(error.message) (see 'omnid --help')\n")
      return 2
    }
    let now = Instant(nanosecondsSince1970: WallClock.nanosecondsSince1970())
    let request = WebhookRequest(agent: "omnid/\(Release.version)", stop: StopSignal())
    var status: Int32 = 0
    for target in targets {
      let event = CloudEvent(
        .test, key: ["test", target.name, "\(now.nanosecondsSince1970)"], source: settings.source,
        cluster: "", subject: target.name, time: now, isCondition: false,
        data: Array("{\"target\":\(JSONText.quoted(target.name))}".utf8))
      switch request.send(event, to: target, at: now) {
      case .taken:
        let isTold = StandardStream.output.write("\(target.name): has taken \(event.id)\n")
        if !isTold { status = 1 }
      case .gone:
        StandardStream.error.write("\(target.name): wants no notifications (status 410)\n")
        status = 1
      case .failed(let reason, _):
        StandardStream.error.write("\(target.name): has not taken \(event.id): \(reason)\n")
        status = 1
      }
    }
    return status
  }

  private static func targets(
    _ arguments: [String], _ facts: ProcessFacts
  ) throws(UsageError) -> (NotificationSettings, [TargetSettings]) {
    var rest: [String] = []
    var wanted: String?
    var words = arguments[...]
    while let word = words.popFirst() {
      if word == "--target" {
        guard let name = words.popFirst() else { throw UsageError("--target needs a value") }
        wanted = name
      } else if word.hasPrefix("--target=") {
        wanted = String(word.dropFirst("--target=".count))
      } else {
        rest.append(word)
      }
    }
    let options = try ServeOptions(rest, facts, readFile: Program.readConfiguration)
    guard let path = options.notifyFile else {
      throw UsageError("nobody is told of events: give --notify-file FILE")
    }
    do throws(NotificationError) {
      let settings = try NotificationSettings.read(path)
      guard let wanted else { return (settings, settings.targets) }
      let targets = settings.targets.filter { $0.name == wanted }
      guard !targets.isEmpty else {
        let names = settings.targets.map(\.name).joined(separator: ", ")
        throw NotificationError("\(path) has no target '\(wanted)'; it has \(names)")
      }
      return (settings, targets)
    } catch {
      throw UsageError(error.message)
    }
  }
}
