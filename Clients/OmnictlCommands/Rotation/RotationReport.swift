internal import Schema

/// Shows a rotation to whoever follows it.
protocol RotationReport: Sendable {
  /// A newer status.
  func show(_ status: RotationStatus)
  /// The server does not answer for now; it is asked again.
  func interrupted(_ reason: String)
  /// It answers again.
  func resumed()
  /// Nothing more comes.
  func close()
}
