import ProtoCodec
import Schema

/// What of a machine's state is watched, and what of it is a reason to look.
struct WatchTarget: Sendable {
  var namespace: String
  var type: String
  /// Nil: every resource of the type.
  var id: String?
  /// Whether what is waited for may follow a moment after the resource has changed.
  var precedes: Bool
  /// Whether an event is a reason to look. What it says is believed for nothing else: one that is wrong costs time.
  var isReason: @Sendable (Cosi.Event) -> Bool

  private init<Spec: Message>(
    _ resource: TalosResource<Spec>, precedes: Bool = false,
    _ isReason: @escaping @Sendable (Spec) -> Bool = { _ in true }
  ) {
    namespace = resource.namespace
    type = resource.type
    id = resource.id.isEmpty ? nil : resource.id
    self.precedes = precedes
    self.isReason = { event in
      // What is waited for is there in the end: that something goes is no reason.
      guard event.eventType == .created || event.eventType == .updated,
        let spec = try? Spec(serialized: event.resource?.spec?.protoSpec ?? [])
      else { return false }
      return isReason(spec)
    }
  }

  /// apid takes its certificates and its list of accepted authorities up a moment after they are shown.
  static let apiCertificates = WatchTarget(.apiCertificates, precedes: true)
  static let trustdCertificates = WatchTarget(.trustdCertificates)
  static let kubelet = WatchTarget(.service("kubelet")) {
    $0.running && ($0.healthy || $0.unknown)
  }
  static let staticPodSecrets = WatchTarget(.staticPodSecrets)
  static let staticPods = WatchTarget(.staticPods)
}
