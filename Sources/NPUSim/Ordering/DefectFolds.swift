/// Which defects of a program that is built are of one kind: the first stands for all, with a count.
struct DefectFolds {
  /// What defects that are counted together have in common.
  struct Kind: Hashable {
    var core = 0
    var mnemonic: String
    /// The buffer that a tile lies outside of, and how; `nil` for operands that are not legal.
    var buffer: UInt32?
    var fault: TileFault?
    /// The line of a text, −1 where there is none, and the labels of the scope then.
    var line: Int32 = -1
    var scope = ""
  }

  private var known: [Kind: Int] = [:]

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
}
