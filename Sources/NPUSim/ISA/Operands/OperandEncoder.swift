/// Collects the words and tiles of a micro-op's operands.
struct OperandEncoder: OperandVisitor {
  var words = InlineArray<6, UInt32>(repeating: 0)
  var tiles = InlineArray<6, TileRef>(repeating: Tile<UB>.placeholder.ref)
  var accessBits: UInt32 = 0
  var count: UInt8 = 0

  private mutating func append(_ word: UInt32) {
    guard Int(count) < OpRecord.maximumOperands else { return }
    words[Int(count)] = word
    count += 1
  }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    guard Int(count) < OpRecord.maximumOperands else { return }
    tiles[Int(count)] = tile.ref
    accessBits |= UInt32(access.rawValue & 15) << UInt32(4 * count)
    if access.contains(.inPlace) { accessBits |= 1 << UInt32(24 + count) }
    append(0)
  }

  mutating func scalar(_ name: String, _ value: inout Float) { append(value.bitPattern) }

  mutating func integer(_ name: String, _ value: inout Int32) {
    append(UInt32(bitPattern: value))
  }

  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    append(UInt32(truncatingIfNeeded: value.choiceIndex))
  }

  mutating func event(_ name: String, _ value: inout Event) { append(value.packed) }

  mutating func unitFlag<C: OperandChoice>(_ name: String, _ value: inout C) {
    choice(name, &value)
    if value.choiceIndex != 0 { accessBits |= 1 << 31 }
  }
}
