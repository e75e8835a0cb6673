internal import Glibc

/// What others call this machine.
public enum HostFacts {
  /// As gethostname(2) says; nil when it says nothing.
  public static var name: String? {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
    let name = String(
      decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.isEmpty ? nil : name
  }

  /// The addresses of its network interfaces, in text form, without those that hold on one link alone.
  public static var addresses: [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return [] }
    defer { unsafe freeifaddrs(list) }
    var found: [String] = []
    var next = unsafe list
    while let entry = unsafe next {
      unsafe next = entry.pointee.ifa_next
      guard let address = unsafe entry.pointee.ifa_addr else { continue }
      let length: Int
      switch Int32(unsafe address.pointee.sa_family) {
      case AF_INET: length = MemoryLayout<sockaddr_in>.size
      case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
      default: continue
      }
      var text = [CChar](repeating: 0, count: 64)
      let result = unsafe getnameinfo(
        address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      guard result == 0 else { continue }
      let name = String(
        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if !name.contains("%") && !found.contains(name) { found.append(name) }
    }
    return found
  }

  /// The number of a group, given by its name or its number; nil when there is no such group.
  public static func group(_ text: String) -> UInt32? {
    if let number = UInt32(text) { return number }
    // Asked before other threads are there.
    return unsafe getgrnam(text).map { unsafe $0.pointee.gr_gid }
  }
}
