/// What `omnid` and `omnictl` say of themselves: they are released together.
public enum Release {
  /// A semantic version.
  public static let version = "0.1.0"
}
