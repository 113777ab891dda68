import NPUSim

/// Where a verb writes: a file, or standard output for `-`.
enum OutputFile {
  /// Finds out before a long run whether a file can be written after it. Leaves nothing behind.
  ///
  /// - Throws: `.io` as writing would.
  static func check(_ path: String, force: Bool) throws(NPUError) {
    if path != "-" { try AtomicFile.check(path, force: force) }
  }

  /// Writes a whole file, or to standard output.
  static func write(
    _ bytes: [UInt8], to path: String, force: Bool, _ console: inout Console
  ) throws(NPUError) {
    if path == "-" {
      console.out(bytes: bytes)
    } else {
      try staged(path) { () throws(NPUError) in
        try AtomicFile.write(bytes, to: path, force: force)
      }
    }
  }

  /// Writes tensors to a file or folder, or as safetensors to standard output.
  static func write(
    _ tensors: TensorSet, to path: String, force: Bool, _ console: inout Console
  ) throws(NPUError) {
    if path == "-" {
      console.out(bytes: try Safetensors.encode(tensors))
    } else {
      try staged(path) { () throws(NPUError) in try tensors.write(path, force: force) }
    }
  }

  /// Writes what may leave a temporary file behind. A pipe or a device has none, and whoever waits for
  /// its other end must be able to stop.
  private static func staged(
    _ path: String, _ write: () throws(NPUError) -> Void
  ) throws(NPUError) {
    if AtomicFile.writesDirectly(path) { try write() } else { try Interrupts.deferred(write) }
  }
}
