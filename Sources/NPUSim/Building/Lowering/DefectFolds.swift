/// Which defects of a program that is built are of one kind: the first stands for all, with a count.
struct DefectFolds {
  /// What defects that are counted together have in common.
  struct Kind: Hashable {
    var core = 0
    var opcode: UInt8
    /// The buffer that a tile lies outside of, and how; `nil` for operands that are not legal.
    var buffer: UInt32?
    var fault: TileFault?
    /// The line of a text, −1 where there is none, and the labels of the scope then.
    var line: Int32 = -1
    var scope: [UInt32] = []
  }

  private var known: [Kind: Int] = [:]
  /// Tiles that do not lie in their buffer as they must, by number, as far as the last of them.
  private var unsound: [Bool] = []

  /// Whether a defect that is about to be added is the first of its kind. Where it is not, the first
  /// one counts it.
  mutating func isFirst(of kind: Kind, in defects: inout [ProgramDefect]) -> Bool {
    if let first = known[kind] {
      defects[first].folded += 1
      return false
    }
    known[kind] = defects.count
    return true
  }

  /// Whether a tile was found unsound when it was new.
  @inline(__always) func isUnsound(_ tile: UInt32) -> Bool {
    Int(tile) < unsound.count && unsound[Int(tile)]
  }

  /// Remembers a tile as unsound; it is newer than those that were.
  mutating func markUnsound(_ tile: UInt32) {
    unsound += repeatElement(false, count: max(0, Int(tile) - unsound.count))
    unsound.append(true)
  }
}
