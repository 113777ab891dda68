import NPUSim

/// Moves whole tensors between Swift arrays and a machine's HBM.
extension MachineState {
  func fill(_ id: UInt32, floats: [Float]) throws {
    try floats.withUnsafeBytes { try writeTensor(id, payload: $0) }
  }

  func fill(_ id: UInt32, words: [UInt16]) throws {
    try words.withUnsafeBytes { try writeTensor(id, payload: $0) }
  }

  func fill(_ id: UInt32, bytes: [UInt8], scales: [UInt8] = []) throws {
    try bytes.withUnsafeBytes { try writeTensor(id, payload: $0, scales: scales) }
  }

  func floats(_ id: UInt32) -> [Float] { readTensor(id).payload.floats }

  func words(_ id: UInt32) -> [UInt16] { readTensor(id).payload.words16 }
}

extension [UInt8] {
  /// Little-endian FP32.
  var floats: [Float] {
    (0..<count / 4).map { index in
      Float(
        bitPattern: (0..<4).reduce(0) { $0 | UInt32(self[4 * index + $1]) << UInt32(8 * $1) })
    }
  }

  /// Little-endian 16-bit words.
  var words16: [UInt16] {
    (0..<count / 2).map { UInt16(self[2 * $0]) | UInt16(self[2 * $0 + 1]) << 8 }
  }

  /// Little-endian 32-bit integers.
  var integers: [Int32] { floats.map { Int32(bitPattern: $0.bitPattern) } }
}
