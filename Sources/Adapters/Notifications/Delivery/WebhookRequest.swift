internal import CCurl
public import Rotation
internal import Synchronization

/// Ends what is under way; set once, from anywhere.
public final class StopSignal: Sendable {
  private let flag = Atomic(false)

  public init() {}

  public var isSet: Bool { flag.load(ordering: .acquiring) }

  public func set() { flag.store(true, ordering: .releasing) }
}

/// One try to deliver an event: a POST by libcurl. Blocks.
///
/// A target gets the event and its signature, and nothing else: no redirect is followed, no proxy of the environment used, no
/// cookie or password sent. Its certificate is always verified. Its answer counts by the status alone.
public struct WebhookRequest: Sendable {
  /// How long a connection, and all of a try, may take.
  static let times = (connecting: 5_000, whole: 15_000)
  /// How much of an answer is taken.
  static let limits = (head: 64 * 1024, body: 64 * 1024)

  /// As in `omnid/1.2.3`.
  private let agent: String
  private let stop: StopSignal

  public init(agent: String, stop: StopSignal) {
    self.agent = agent
    self.stop = stop
  }

  /// - Parameter now: stands in the signature.
  public func send(
    _ event: CloudEvent, to target: TargetSettings, at now: Instant
  ) -> DeliveryOutcome {
    guard Self.isReady, let handle = unsafe curl_easy_init() else {
      return .failed("libcurl cannot be used")
    }
    defer { unsafe curl_easy_cleanup(handle) }
    let headers = unsafe headers(event, target, now)
    defer { unsafe curl_slist_free_all(headers) }
    var answer = unsafe omni_curl_answer(
      head_left: Self.limits.head, body_left: Self.limits.body, is_too_long: 0,
      is_stopped: { context in
        guard let context = unsafe context else { return 1 }
        return unsafe Unmanaged<StopSignal>.fromOpaque(context).takeUnretainedValue().isSet ? 1 : 0
      }, context: Unmanaged.passUnretained(stop).toOpaque())
    var message = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE) + 1)
    return withExtendedLifetime(stop) {
      unsafe withUnsafeMutablePointer(to: &answer) { answer in
        unsafe event.body.withUnsafeBytes { body in
          unsafe message.withUnsafeMutableBufferPointer { message in
            // libcurl may write to it until then, also when it cleans up.
            defer { _ = unsafe omni_curl_set_bytes(handle, CURLOPT_ERRORBUFFER, nil) }
            let isSet = unsafe configure(handle, target, body, headers, answer, message)
            guard isSet else { return .failed("libcurl does not know an option") }
            let code = unsafe curl_easy_perform(handle)
            return unsafe outcome(
              code, handle, answer.pointee, String(cString: message.baseAddress!))
          }
        }
      }
    }
  }

  // MARK: - The request

  /// libcurl is made ready once in a process.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  private func headers(
    _ event: CloudEvent, _ target: TargetSettings, _ now: Instant
  ) -> UnsafeMutablePointer<curl_slist>? {
    let signed = WebhookSignature(target.secret).headers(
      id: event.id, timestamp: now.secondsSince1970, body: event.body)
    // Without `Expect` the body goes with the head, and no server is waited for in between.
    let lines =
      ["Content-Type: \(CloudEvent.contentType)", "Expect:"]
      + signed.map { "\($0.name): \($0.value)" }
    var list: UnsafeMutablePointer<curl_slist>?
    for line in lines { unsafe list = unsafe curl_slist_append(list, line) }
    return unsafe list
  }

  private func configure(
    _ handle: UnsafeMutableRawPointer, _ target: TargetSettings, _ body: UnsafeRawBufferPointer,
    _ headers: UnsafeMutablePointer<curl_slist>?, _ answer: UnsafeMutablePointer<omni_curl_answer>,
    _ message: UnsafeMutableBufferPointer<CChar>
  ) -> Bool {
    let numbers: [(CURLoption, Int)] = [
      (CURLOPT_POST, 1), (CURLOPT_POSTFIELDSIZE, body.count),
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_FORBID_REUSE, 1),
      (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
      (CURLOPT_CONNECTTIMEOUT_MS, Self.times.connecting), (CURLOPT_TIMEOUT_MS, Self.times.whole),
      (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
      (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
    ]
    let scheme = target.url.lowercased().hasPrefix("https:") ? "https" : "http"
    // An empty proxy is none, where a missing one would be the environment's.
    var texts: [(CURLoption, String?)] = [
      (CURLOPT_URL, target.url), (CURLOPT_PROTOCOLS_STR, scheme), (CURLOPT_USERAGENT, agent),
      (CURLOPT_PROXY, target.proxy ?? ""), (CURLOPT_NOPROXY, ""),
    ]
    if let file = target.authorityFile {
      // The system's are not trusted beside them.
      texts += [(CURLOPT_CAINFO, file), (CURLOPT_CAPATH, nil)]
    }
    for (option, value) in numbers {
      guard unsafe omni_curl_set_number(handle, option, value) == CURLE_OK else { return false }
    }
    for (option, value) in texts {
      guard unsafe omni_curl_set_text(handle, option, value) == CURLE_OK else { return false }
    }
    return unsafe omni_curl_set_bytes(handle, CURLOPT_POSTFIELDS, body.baseAddress) == CURLE_OK
      && omni_curl_set_bytes(handle, CURLOPT_ERRORBUFFER, message.baseAddress) == CURLE_OK
      && omni_curl_set_list(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK
      && omni_curl_set_answer(handle, answer) == CURLE_OK
  }

  // MARK: - The answer

  private func outcome(
    _ code: CURLcode, _ handle: UnsafeMutableRawPointer, _ answer: omni_curl_answer,
    _ message: String
  ) -> DeliveryOutcome {
    var status = 0
    _ = unsafe omni_curl_status(handle, &status)
    // An answer that is too long has said what it had to: the target has taken the event, or not.
    let isAnswered = unsafe code == CURLE_OK || (answer.is_too_long != 0 && answer.head_left > 0)
    guard isAnswered, status != 0 else {
      if stop.isSet { return .failed("omnid is stopping") }
      let reason = unsafe message.isEmpty ? String(cString: curl_easy_strerror(code)) : message
      return .failed(Self.hint(code) + Self.cleaned(reason))
    }
    switch status {
    case 200..<300: return .taken
    case 410: return .gone
    default:
      var seconds: curl_off_t = 0
      _ = unsafe omni_curl_retry_after(handle, &seconds)
      let hint =
        (300..<400).contains(status) ? ", and redirects are not followed: name the new URL" : ""
      return .failed(
        "the status is \(status)\(hint)",
        retryAfter: seconds > 0 ? .seconds(Int64(seconds)) : nil)
    }
  }

  /// What a failure of TLS comes from more often than its own words say.
  private static func hint(_ code: CURLcode) -> String {
    switch code {
    case CURLE_PEER_FAILED_VERIFICATION:
      "the target's certificate is not accepted (ca-file names the CA to trust): "
    case CURLE_SSL_CONNECT_ERROR:
      "TLS does not come about, as with a certificate of a CA that is not trusted: "
    default: ""
    }
  }

  /// What libcurl says may hold what the target has said.
  static func cleaned(_ text: String) -> String {
    var kept = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(200) {
      kept.append((0x20...0x7e).contains(scalar.value) ? scalar : "?")
    }
    return String(kept)
  }
}
