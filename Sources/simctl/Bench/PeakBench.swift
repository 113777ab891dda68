import NPUSim

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What this machine can do at most: the measures of the other lines.
struct PeakBench {
  /// Bytes of each of the two buffers of the copy: far more than the caches hold.
  private static let copyBytes = 512 << 20

  /// Int8 multiply-accumulates a second of one thread, in 10^9; 0 where the path has no measurement.
  let macs: Double
  /// Bytes read and written a second by a copy in main memory, in 10^9.
  let copy: Double

  /// - Parameters:
  ///   - macs: whether the dot product is wanted; it stays 0 otherwise.
  ///   - copy: whether the copy is wanted; it stays 0 otherwise.
  init(samples: Int, macs: Bool, copy: Bool) {
    self.macs = macs ? Self.measureMACs(samples) : 0
    self.copy = copy ? Self.measureCopy(samples) : 0
  }

  /// The peaks as lines of their own.
  var lines: [Measurement] {
    var lines: [Measurement] = []
    if macs > 0 {
      lines.append(
        Measurement(
          name: "int8 dot product, \(DatapathPath.active.rawValue)", part: "peaks", value: macs,
          unit: "GMAC/s"))
    }
    if copy > 0 {
      lines.append(
        Measurement(
          name: "memory copy, \(Self.copyBytes >> 20) MiB", part: "peaks", value: copy,
          unit: "GB/s"))
    }
    return lines
  }

  private static func measureMACs(_ samples: Int) -> Double {
    let rounds = 100_000
    let amount = DatapathPath.active.dotProducts(rounds: 1) * rounds
    if amount == 0 { return 0 }
    return Stopwatch.rate(amount: Double(amount), samples: samples) {
      _ = DatapathPath.active.dotProducts(rounds: rounds)
    } / 1e9
  }

  private static func measureCopy(_ samples: Int) -> Double {
    let from = UnsafeMutableRawPointer.allocate(byteCount: copyBytes, alignment: 4096)
    let to = UnsafeMutableRawPointer.allocate(byteCount: copyBytes, alignment: 4096)
    defer {
      from.deallocate()
      to.deallocate()
    }
    from.initializeMemory(as: UInt8.self, repeating: 1, count: copyBytes)
    to.initializeMemory(as: UInt8.self, repeating: 2, count: copyBytes)
    // Once the system knows of the memory the compiler must leave every copy in.
    posix_madvise(from, copyBytes, POSIX_MADV_SEQUENTIAL)
    posix_madvise(to, copyBytes, POSIX_MADV_SEQUENTIAL)
    return Stopwatch.rate(amount: 2 * Double(copyBytes), samples: samples) {
      to.copyMemory(from: from, byteCount: copyBytes)
    } / 1e9
  }
}
