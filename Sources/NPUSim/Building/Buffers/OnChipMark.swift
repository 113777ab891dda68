/// What of the memories on chip is taken at a place in a program, on every core.
public struct OnChipMark: Sendable {
  fileprivate let mark: BufferAllocator.Mark
}

extension ProgramBuilder {
  /// What is allocated on chip now.
  public func mark() -> OnChipMark { OnChipMark(mark: allocator.mark()) }

  /// Gives back what was allocated on chip since a mark, on every core: the next buffers lie there.
  ///
  /// Nothing has to be waited for. Whatever writes to such a buffer comes behind all that use the bytes
  /// before it, as micro-ops do that share bytes in any other way. A buffer that is given back is not to
  /// be used any more: that it is, where another one has overwritten it, is found as M004.
  ///
  /// Throws `.program` for a mark behind which less is allocated than before it: one that was given back
  /// itself.
  public mutating func release(to mark: OnChipMark) throws(NPUError) {
    guard allocator.release(to: mark.mark) else {
      throw NPUError(
        .program, "what is allocated on chip is released to a mark that was released itself",
        hint: "release marks in the reverse order in which they are made")
    }
  }
}
