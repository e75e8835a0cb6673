/// Whether a machine that the list of members does not name has left the cluster for good.
public enum Departure: Sendable, Hashable {
  case proved
  /// A person has said so (`RotationOptions.leftOut`), and nothing shows that it is there.
  case said
  /// It is waited for, until what is said here has come about: `dropped once …`. Empty: nothing is known of that.
  case doubted(String)
}
