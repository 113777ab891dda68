import NPUSim

extension FlashFootprint {
  /// The footprint of a list of rings.
  init(_ machine: MachineConfiguration, _ buffers: [FlashBuffer]) {
    self.init(machine)
    for buffer in buffers { buffer.add(to: &self) }
  }
}

extension [FlashBuffer] {
  /// Allocates the ring `name` of the list. Throws `.internal` where the list has none.
  func ring<S: MemorySpace>(
    _ name: String, in space: S.Type, _ p: inout ProgramBuilder
  ) throws(NPUError) -> Ring<S> {
    guard let buffer = first(where: { $0.name == name && $0.space == S.space }) else {
      throw NPUError(.internal, "flash_attention lists no ring '\(name)' in \(S.space.name)")
    }
    return try buffer.ring(in: space, &p)
  }
}
