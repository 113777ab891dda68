/// The opcodes of micro-op types: a hash table over the addresses of their metadata, as every
/// micro-op that is emitted asks for its opcode.
struct OpcodeTable: Sendable {
  /// Four times the largest catalogue, so that most types are found where they are looked for first.
  private static let size = 1024

  /// Open addressing: 0 is free, otherwise the address of a type's metadata.
  private var types = [UInt](repeating: 0, count: Self.size)
  private var opcodes = [UInt8](repeating: 0, count: Self.size)

  /// Lists a type, or gives it another opcode; at most 256 types.
  mutating func insert(_ opcode: UInt8, for type: any MicroOp.Type) {
    let place = place(of: type)
    types[place] = UInt(bitPattern: ObjectIdentifier(type))
    opcodes[place] = opcode
  }

  /// The opcode of a type, or `nil` if it is not listed.
  subscript(type: any MicroOp.Type) -> UInt8? {
    let place = place(of: type)
    return types[place] == 0 ? nil : opcodes[place]
  }

  /// Where a type is, or would be put.
  private func place(of type: any MicroOp.Type) -> Int {
    let address = UInt(bitPattern: ObjectIdentifier(type))
    // Metadata is aligned: its lowest bits say nothing.
    var place = Int(truncatingIfNeeded: (address >> 4) &* 0x9E37_79B1 >> 16) & (Self.size - 1)
    while types[place] != 0 && types[place] != address { place = (place + 1) & (Self.size - 1) }
    return place
  }
}
