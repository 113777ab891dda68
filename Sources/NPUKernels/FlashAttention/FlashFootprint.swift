import NPUSim

/// The bytes that a schedule's buffers need in each memory, placed as a program builder places them:
/// rows and buffers on the memory's alignment, 32-blocks filled up, scales in `ub` as bytes of it.
struct FlashFootprint {
  private let machine: MachineConfiguration
  private var used = [Int](repeating: 0, count: Space.allCases.count)
  private var isTooLarge = false

  init(_ machine: MachineConfiguration) { self.machine = machine }

  /// Adds a ring.
  mutating func add(
    _ space: Space, _ format: ElementFormat, slots: Int, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns
  ) {
    let unit = max(1, machine[space].alignment)
    let isMX = format == .mxint8
    let lines = isMX && axis == .alongRows ? MXINT8.blocks(rows) * 32 : rows
    let width = isMX && axis == .alongColumns ? MXINT8.blocks(columns) * 32 : columns
    take(space, [slots, lines, Self.align(width * format.bytes, unit)], unit)
    if isMX && space == .ub { take(space, [slots, lines * width / 32], unit) }
  }

  private mutating func take(_ space: Space, _ factors: [Int], _ unit: Int) {
    var bytes = 1
    for factor in factors {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
      if overflow || product > Int.max / 4 {
        isTooLarge = true
        return
      }
      bytes = product
    }
    used[space.index] = min(Int.max / 4, used[space.index] + Self.align(bytes, unit))
  }

  private static func align(_ bytes: Int, _ unit: Int) -> Int { (bytes + unit - 1) / unit * unit }

  /// What does not fit, or `nil`.
  var overflow: String? {
    if isTooLarge { return "its tiles are larger than any memory" }
    for space in Space.allCases where space != .hbm {
      if let capacity = machine[space].bytes, used[space.index] > capacity {
        return "\(space.name) holds \(capacity) bytes, needed \(used[space.index])"
      }
    }
    return nil
  }
}
