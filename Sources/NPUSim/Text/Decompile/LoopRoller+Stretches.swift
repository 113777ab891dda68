extension LoopRoller {
  /// Whether a stretch repeats with a shorter period, too.
  static func isPrimitive(_ keys: ArraySlice<Int>, _ period: Int) -> Bool {
    for shorter in 1..<period where period % shorter == 0 {
      var place = keys.startIndex
      while place + shorter < keys.endIndex, keys[place] == keys[place + shorter] { place += 1 }
      if place + shorter == keys.endIndex { return false }
    }
    return true
  }

  /// Where at least so many keys in a row are what they are a period later. Every so many keys one is
  /// looked at, as each such stretch has one of these; around those that match, the others are.
  static func stretches(_ keys: [Int], _ period: Int, least: Int) -> [Range<Int>] {
    keys.withUnsafeBufferPointer { keys in
      var result: [Range<Int>] = []
      let last = keys.count - period
      var index = 0
      var bound = 0
      while index < last {
        guard keys[index] == keys[index + period] else {
          index += least
          continue
        }
        var start = index
        while start > bound, keys[start - 1] == keys[start - 1 + period] { start -= 1 }
        bound = index + 1
        while bound < last, keys[bound] == keys[bound + period] { bound += 1 }
        if bound - start >= least { result.append(start..<bound) }
        index = (bound / least + 1) * least
      }
      return result
    }
  }
}
