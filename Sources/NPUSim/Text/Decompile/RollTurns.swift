/// The leaf of each turn that a node is there for, −1 where it is not.
///
/// Most nodes of a program have one turn, which takes no memory of its own.
struct RollTurns: RandomAccessCollection, ExpressibleByArrayLiteral {
  private enum Storage {
    case one(Int32)
    case list([Int32])
  }

  private var storage: Storage

  init(_ turns: [Int32]) { storage = turns.count == 1 ? .one(turns[0]) : .list(turns) }

  init(_ leaf: Int32) { storage = .one(leaf) }

  init(arrayLiteral elements: Int32...) { self.init(elements) }

  var startIndex: Int { 0 }

  var endIndex: Int {
    switch storage {
    case .one: 1
    case .list(let turns): turns.count
    }
  }

  subscript(turn: Int) -> Int32 {
    switch storage {
    case .one(let leaf): leaf
    case .list(let turns): turns[turn]
    }
  }

  /// All of them, for what goes through many.
  var values: [Int32] {
    switch storage {
    case .one(let leaf): [leaf]
    case .list(let turns): turns
    }
  }
}
