/// Words with a meaning, compared by their bytes: every line of a record has some.
struct RecordWords<Value: Sendable>: Sendable {
  private let entries: [(word: [UInt8], value: Value)]

  init(_ values: [Value], _ word: (Value) -> String) {
    entries = values.map { (Array(word($0).utf8), $0) }
  }

  /// What some bytes mean, if they are one of the words.
  func value(of bytes: UnsafeBufferPointer<UInt8>) -> Value? {
    for (word, value) in entries where word.count == bytes.count {
      var place = 0
      while place < word.count, word[place] == bytes[place] { place += 1 }
      if place == word.count { return value }
    }
    return nil
  }
}
