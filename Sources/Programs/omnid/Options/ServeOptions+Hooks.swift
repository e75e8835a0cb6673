import Platform

extension ServeOptions {
  /// The programs that are asked before a stage.
  struct HookSettings: Equatable {
    /// An absolute path, because a program is started in another directory than omnid.
    var directory: String
    /// How long each may take.
    var timeout = Duration.seconds(60)
  }

  static func hookSettings(_ values: SettingValues) throws(UsageError) -> HookSettings? {
    guard let value = values[.beforeStageDirectory] else {
      if let timeout = values[.hookTimeout] {
        throw UsageError("\(timeout.origin) is of no use without --before-stage-dir DIR")
      }
      return nil
    }
    guard value.texts[0].hasPrefix("/") else {
      throw UsageError("\(value.origin): '\(value.texts[0])' is not an absolute path")
    }
    var settings = HookSettings(directory: value.texts[0])
    if let value = values[.hookTimeout] {
      let text = value.texts[0]
      guard let time = try? GoDuration.parse(text), time >= .seconds(1), time <= .seconds(3600)
      else {
        throw UsageError("\(value.origin): '\(text)' is not a time from 1s to 1h, such as 90s")
      }
      settings.timeout = time
    }
    return settings
  }
}
