import NPUSim

/// The int8 payloads of an MXINT8 tensor as references read them, in the tensor's own memory.
struct ReferencePayload: Sendable {
  private let bytes: [UInt8]

  /// The payloads of a tensor, row-major.
  init(_ tensor: MXTensor) { bytes = tensor.payload.storage }

  /// Payloads as a tensor holds them.
  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Payloads that the reference made itself.
  init(_ payload: [Int8]) { bytes = payload.map { UInt8(bitPattern: $0) } }

  var count: Int { bytes.count }

  subscript(index: Int) -> Int8 { Int8(bitPattern: bytes[index]) }

  /// Lends all of them.
  func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Int8>) -> Result) -> Result {
    bytes.withUnsafeBufferPointer { $0.withMemoryRebound(to: Int8.self, body) }
  }
}
