/// The error codes that RST_STREAM and GOAWAY carry (RFC 9113 section 7).
@frozen
public enum HTTP2ErrorCode: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
  case noError
  case protocolError
  case internalError
  case flowControlError
  case settingsTimeout
  case streamClosed
  case frameSizeError
  case refusedStream
  case cancel
  case compressionError
  case connectError
  case enhanceYourCalm
  case inadequateSecurity
  case http11Required
  /// A code that the RFC does not name. An unknown code has no effect of its own.
  case unknown(UInt32)

  @inlinable
  public init(rawValue: UInt32) {
    switch rawValue {
    case 0x0: self = .noError
    case 0x1: self = .protocolError
    case 0x2: self = .internalError
    case 0x3: self = .flowControlError
    case 0x4: self = .settingsTimeout
    case 0x5: self = .streamClosed
    case 0x6: self = .frameSizeError
    case 0x7: self = .refusedStream
    case 0x8: self = .cancel
    case 0x9: self = .compressionError
    case 0xa: self = .connectError
    case 0xb: self = .enhanceYourCalm
    case 0xc: self = .inadequateSecurity
    case 0xd: self = .http11Required
    default: self = .unknown(rawValue)
    }
  }

  /// The code as frames carry it.
  @inlinable
  public var rawValue: UInt32 {
    switch self {
    case .noError: 0x0
    case .protocolError: 0x1
    case .internalError: 0x2
    case .flowControlError: 0x3
    case .settingsTimeout: 0x4
    case .streamClosed: 0x5
    case .frameSizeError: 0x6
    case .refusedStream: 0x7
    case .cancel: 0x8
    case .compressionError: 0x9
    case .connectError: 0xa
    case .enhanceYourCalm: 0xb
    case .inadequateSecurity: 0xc
    case .http11Required: 0xd
    case .unknown(let code): code
    }
  }

  /// The RFC's name, such as `REFUSED_STREAM`; the number of a code that has none.
  public var description: String {
    switch self {
    case .noError: "NO_ERROR"
    case .protocolError: "PROTOCOL_ERROR"
    case .internalError: "INTERNAL_ERROR"
    case .flowControlError: "FLOW_CONTROL_ERROR"
    case .settingsTimeout: "SETTINGS_TIMEOUT"
    case .streamClosed: "STREAM_CLOSED"
    case .frameSizeError: "FRAME_SIZE_ERROR"
    case .refusedStream: "REFUSED_STREAM"
    case .cancel: "CANCEL"
    case .compressionError: "COMPRESSION_ERROR"
    case .connectError: "CONNECT_ERROR"
    case .enhanceYourCalm: "ENHANCE_YOUR_CALM"
    case .inadequateSecurity: "INADEQUATE_SECURITY"
    case .http11Required: "HTTP_1_1_REQUIRED"
    case .unknown(let code): String(code)
    }
  }
}
