/// Micro-ops by a key, the smallest first; of equal keys the one that was written first.
struct KeyHeap {
  struct Entry {
    var key: Int64
    var op: UInt32

    @inline(__always)
    static func < (a: Entry, b: Entry) -> Bool { a.key != b.key ? a.key < b.key : a.op < b.op }
  }

  private var entries: [Entry] = []

  /// Bytes of its list.
  var storageBytes: Int { entries.storageBytes }

  var isEmpty: Bool { entries.isEmpty }

  /// The smallest; ask only a heap that is not empty.
  var first: Entry { entries[0] }

  @inline(__always)
  mutating func push(_ key: Int64, _ op: UInt32) {
    let entry = Entry(key: key, op: op)
    entries.append(entry)
    var place = entries.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard entry < entries[parent] else { break }
      entries[place] = entries[parent]
      place = parent
    }
    entries[place] = entry
  }

  /// Takes the smallest out; ask only a heap that is not empty.
  @inline(__always)
  mutating func pop() -> UInt32 {
    let result = entries[0].op
    let last = entries.removeLast()
    let count = entries.count
    guard count > 0 else { return result }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < count else { break }
      if child + 1 < count && entries[child + 1] < entries[child] { child += 1 }
      guard entries[child] < last else { break }
      entries[place] = entries[child]
      place = child
    }
    entries[place] = last
    return result
  }
}
