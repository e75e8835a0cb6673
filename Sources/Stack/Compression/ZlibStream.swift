internal import CZlib

/// The memory of one zlib stream, at an address of its own: zlib keeps a pointer to it.
@safe struct ZlibStream: ~Copyable {
  /// Owned by this value.
  let pointer: UnsafeMutablePointer<z_stream>
  private let end: (UnsafeMutablePointer<z_stream>) -> Int32

  /// - Parameters:
  ///   - begin: one of zlib's init functions.
  ///   - end: the end function that belongs to it.
  init(
    begin: (UnsafeMutablePointer<z_stream>) -> Int32,
    end: @escaping (UnsafeMutablePointer<z_stream>) -> Int32
  ) throws(CompressionError) {
    let pointer = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe pointer.initialize(to: z_stream())
    guard unsafe begin(pointer) == Z_OK else {
      unsafe pointer.deallocate()
      throw CompressionError(.internalFailure, "zlib could not be set up")
    }
    unsafe self.pointer = pointer
    unsafe self.end = end
  }

  deinit {
    _ = unsafe end(pointer)
    unsafe pointer.deallocate()
  }

  /// The bytes that zlib is handed for output at a time.
  static let chunkSize = 16 << 10

  /// The largest input of one call, in bytes: zlib counts in 32 bits.
  static let maximumInputSize = 1 << 30

  /// What one step did.
  struct Step {
    var result: Int32
    /// Whether the output space was used up, so that there may be more to come.
    var isFull: Bool
  }

  /// Runs `step` once with output space of one chunk, or of `room` bytes if that is less, and
  /// appends what it wrote.
  func run(
    room: Int, into output: inout [UInt8], _ step: (UnsafeMutablePointer<z_stream>) -> Int32
  ) -> Step {
    let size = min(Self.chunkSize, room)
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { space in
      unsafe pointer.pointee.next_out = space.baseAddress
      unsafe pointer.pointee.avail_out = UInt32(size)
      let result = unsafe step(pointer)
      let written = unsafe size - Int(pointer.pointee.avail_out)
      unsafe output.append(contentsOf: space[..<written])
      unsafe pointer.pointee.next_out = nil
      return Step(result: result, isFull: written == size)
    }
  }
}
