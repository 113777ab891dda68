import NPUSim

/// Where a verb writes: a file, or standard output for `-`.
enum OutputFile {
  /// Finds out before a long run whether a file can be written after it. Leaves nothing behind.
  ///
  /// - Throws: `.io` as writing would.
  static func check(_ path: String, force: Bool) throws(NPUError) {
    guard path != "-" else { return }
    _ = try AtomicFile(path, force: force)
  }

  /// Writes a whole file, or to standard output.
  static func write(
    _ bytes: [UInt8], to path: String, force: Bool, _ console: inout Console
  ) throws(NPUError) {
    if path == "-" {
      console.out(bytes: bytes)
    } else {
      try Interrupts.deferred { () throws(NPUError) in
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
      try Interrupts.deferred { () throws(NPUError) in try tensors.write(path, force: force) }
    }
  }

  /// Reads tensors from a file or folder, or safetensors from standard input.
  static func tensors(_ path: String) throws(NPUError) -> TensorSet {
    path == "-"
      ? try Safetensors.decode(try Console.standardInput(), file: "standard input")
      : try TensorSet.read(path)
  }
}
