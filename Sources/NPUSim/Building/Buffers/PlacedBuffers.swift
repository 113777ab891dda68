extension ProgramBuilder {
  /// Allocates all buffers of a plan on the current core, in order. Throws `.program` for a size that
  /// cannot be represented.
  public mutating func allocate(_ plan: BufferPlan) throws(NPUError) -> PlacedBuffers {
    var ids: [UInt32] = []
    for buffer in plan.buffers { ids.append(try place(buffer, at: nil)) }
    return PlacedBuffers(plan: plan, ids: ids)
  }
}

/// The buffers of a plan on a core, by name and memory.
public struct PlacedBuffers: Sendable {
  fileprivate let plan: BufferPlan
  fileprivate let ids: [UInt32]

  /// The buffer `name` of a memory. Throws `.internal` where the plan lists none.
  public func buffer<S: MemorySpace>(
    _ name: String, in space: S.Type
  ) throws(NPUError) -> BufferHandle<S> {
    let place = plan.buffers.firstIndex { $0.space == S.space && $0.name == name }
    guard let place else {
      throw NPUError(.internal, "the plan lists no buffer '\(name)' in \(S.space.name)")
    }
    let buffer = plan.buffers[place]
    return BufferHandle(
      id: ids[place], slots: buffer.slots, rows: buffer.rows, columns: buffer.columns,
      format: buffer.format, axis: buffer.axis)
  }

  /// The buffer `name` of a memory, its slots to be used in turn. Throws `.internal` where the plan
  /// lists none.
  public func ring<S: MemorySpace>(
    _ name: String, in space: S.Type
  ) throws(NPUError) -> Ring<S> {
    Ring(try buffer(name, in: space))
  }
}
