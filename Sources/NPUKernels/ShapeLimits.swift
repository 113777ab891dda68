import NPUSim

/// Limits on the sizes that users type, checked before anything is multiplied unguarded.
enum ShapeLimits {
  /// Largest extent of one dimension: tiles count in 32 bits.
  static let maximumExtent = 1 << 30

  /// Checks each dimension, and that tensors of the given products of bytes fit HBM together.
  static func check(
    _ dimensions: [(name: String, value: Int)], bytes: [[Int]], machine: MachineConfiguration
  ) throws(NPUError) {
    for (name, value) in dimensions where value > maximumExtent {
      throw NPUError(.usage, "--\(name) needs at most \(maximumExtent), found \(value)")
    }
    var total = 0
    var isTooLarge = false
    for factors in bytes {
      var size = 1
      for factor in factors {
        let (product, overflow) = size.multipliedReportingOverflow(by: factor)
        if overflow { isTooLarge = true }
        size = product
      }
      let (sum, overflow) = total.addingReportingOverflow(size)
      if overflow { isTooLarge = true }
      total = sum
    }
    let capacity = machine[.hbm].bytes ?? 1 << 46
    guard !isTooLarge, total >= 0, total <= capacity else {
      let found = isTooLarge || total < 0 ? "more than 2^63" : "about \(total)"
      throw NPUError(
        .usage,
        "the tensors of this shape need \(found) bytes, but the HBM of \(machine.name) holds "
          + "\(capacity)", hint: "use a smaller shape or a machine with more HBM")
    }
  }
}
