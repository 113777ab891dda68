/// The on-chip buffers of a core that has work, in the order in which they are placed: measured before
/// a schedule is chosen, and allocated when its program is emitted.
public struct BufferPlan: Sendable, Hashable {
  public private(set) var buffers: [PlannedBuffer]

  public init(_ buffers: [PlannedBuffer]) { self.buffers = buffers }

  /// Both lists, one behind the other.
  public static func + (first: BufferPlan, second: BufferPlan) -> BufferPlan {
    BufferPlan(first.buffers + second.buffers)
  }

  /// The first memory that the buffers do not fit where they are placed as a ``ProgramBuilder`` places
  /// them, or `nil`.
  public func overflow(on machine: MachineConfiguration) -> MemoryOverflow? {
    var cursors = MemoryCursors()
    for buffer in buffers where !cursors.place(buffer, on: machine) {
      return MemoryOverflow(
        space: buffer.space, capacity: machine[buffer.space].bytes, needed: nil)
    }
    for space in Space.allCases where space != .hbm {
      if let capacity = machine[space].bytes, cursors[space] > capacity {
        return MemoryOverflow(space: space, capacity: capacity, needed: cursors[space])
      }
    }
    return nil
  }

  /// Bytes that the buffers take of a memory; `nil` where they cannot be represented.
  public func bytes(of space: Space, on machine: MachineConfiguration) -> Int? {
    var cursors = MemoryCursors()
    for buffer in buffers where buffer.space == space && !cursors.place(buffer, on: machine) {
      return nil
    }
    return cursors[space]
  }
}

extension MemoryCursors {
  /// Takes the bytes of a buffer; false where they cannot be represented.
  fileprivate mutating func place(_ buffer: PlannedBuffer, on machine: MachineConfiguration) -> Bool
  {
    let alignment = max(1, machine[buffer.space].alignment)
    guard let extent = BufferExtent(buffer, alignment: alignment) else { return false }
    _ = place(extent, in: buffer.space, alignment: alignment)
    return true
  }
}

/// A memory that the buffers of a plan do not fit.
public struct MemoryOverflow: Sendable, Hashable, CustomStringConvertible {
  public var space: Space
  /// Bytes that it holds; `nil` without limit.
  public var capacity: Int?
  /// Bytes that the buffers take; `nil` where they cannot be represented.
  public var needed: Int?

  /// What it holds and what was needed, in words.
  public var description: String {
    let holds = capacity.map { "holds \($0) bytes" } ?? "has no limit"
    return "\(space.name) \(holds), needed \(needed.map { "\($0)" } ?? "more than 2^57")"
  }
}
