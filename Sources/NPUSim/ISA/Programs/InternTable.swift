/// A value that an ``InternTable`` can number.
protocol Interned: Equatable {
  /// Bits that differ between most distinct values, mixed well.
  var internHash: UInt64 { get }
}

/// The numbers of distinct values: a hash table without references, as every operand of every
/// micro-op passes through it.
struct InternTable<Value: Interned & Sendable>: Sendable {
  /// Open addressing: 0 is free, otherwise 1 + the value's number.
  private var slots = [UInt32](repeating: 0, count: 64)

  init() {}

  /// A table in which distinct values have their positions as numbers.
  init(_ values: [Value]) {
    while slots.count < values.count * 2 { slots += slots }
    fill(values)
  }

  /// The number of a value in `values`, to which it is appended if it is new.
  mutating func id(of value: Value, in values: inout [Value]) -> (id: UInt32, isNew: Bool) {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: value.internHash) & mask
    while slots[place] != 0 {
      let known = slots[place] - 1
      if values[Int(known)] == value { return (known, false) }
      place = (place + 1) & mask
    }
    let id = UInt32(values.count)
    values.append(value)
    slots[place] = id + 1
    if values.count * 2 > slots.count { grow(values) }
    return (id, true)
  }

  private mutating func grow(_ values: [Value]) {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    fill(values)
  }

  /// Enters the values in a table that is empty.
  private mutating func fill(_ values: [Value]) {
    let mask = slots.count - 1
    for (id, value) in values.enumerated() {
      var place = Int(truncatingIfNeeded: value.internHash) & mask
      while slots[place] != 0 { place = (place + 1) & mask }
      slots[place] = UInt32(id + 1)
    }
  }
}

extension TileRef: Interned {
  var internHash: UInt64 {
    func word(_ high: Int32, _ low: Int32) -> UInt64 {
      UInt64(UInt32(bitPattern: high)) << 32 | UInt64(UInt32(bitPattern: low))
    }
    var hash = word(Int32(bitPattern: buffer), slot) &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 29) ^ word(row, column)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 31) ^ word(rows, columns)) &* 0x94D0_49BB_1331_11EB
    hash ^= UInt64(indexList) << 20 ^ UInt64(format.rawValue)
    return hash ^ (hash >> 32)
  }
}

extension Work: Interned {
  var internHash: UInt64 {
    let (a, b, c) = amounts
    var hash = (UInt64(kind.rawValue) << 8 | UInt64(detail)) &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 29) ^ UInt64(bitPattern: a)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 31) ^ UInt64(bitPattern: b)) &* 0x94D0_49BB_1331_11EB
    hash = (hash ^ (hash >> 30) ^ UInt64(bitPattern: c)) &* 0xBF58_476D_1CE4_E5B9
    return hash ^ (hash >> 32)
  }
}
