/// The bytes of a whole tensor, lent to a machine that reads them where they are.
public struct TensorBytes: Sendable {
  /// Payload or scales.
  struct Part: @unchecked Sendable {
    /// Keeps the bytes, which nobody changes: an array that is shared is copied first.
    private let storage: [UInt8]
    /// The first byte; `nil` if there is none. As long as ``storage`` lives, it stays where it is.
    let start: UnsafePointer<UInt8>?

    /// `nil` where no whole register can be read at the last byte.
    init?(_ bytes: [UInt8]) {
      guard bytes.isEmpty || bytes.capacity >= bytes.count + Tensor.room else { return nil }
      storage = bytes
      start = bytes.withUnsafeBufferPointer { $0.isEmpty ? nil : $0.baseAddress }
    }

    var count: Int { storage.count }
  }

  let payload: Part
  let scales: Part

  /// `nil` where the bytes cannot be read in place, and have to be copied.
  public init?(payload: [UInt8], scales: [UInt8]) {
    guard let payload = Part(payload), let scales = Part(scales) else { return nil }
    self.payload = payload
    self.scales = scales
  }

  /// Whether they are all bytes of a buffer.
  func fit(_ buffer: Buffer) -> Bool {
    payload.count == buffer.payloadExtent && scales.count == buffer.scaleExtent
  }
}
