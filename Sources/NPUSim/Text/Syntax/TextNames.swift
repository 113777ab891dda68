/// The names of a text, each kept once and known by a number.
struct TextNames: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = [0]
  private var hashes: [UInt64] = []
  /// Open addressing: 0 is free, otherwise 1 + the name's number.
  private var table = [UInt32](repeating: 0, count: 64)

  /// How many names there are.
  var count: Int { hashes.count }

  /// The number of a name, given its bytes.
  mutating func id(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let hash = Self.hash(name)
    let place = place(of: name, hash)
    if table[place] != 0 { return table[place] - 1 }
    bytes += name
    ends.append(bytes.count)
    hashes.append(hash)
    table[place] = UInt32(count)
    if count * 2 > table.count { grow() }
    return UInt32(count - 1)
  }

  /// The number of a name.
  mutating func id(_ name: String) -> UInt32 {
    var name = name
    return name.withUTF8 { id($0) }
  }

  /// The number of a name that is known; `nil` for others.
  func known(_ name: String) -> UInt32? {
    var name = name
    return name.withUTF8 { bytes in
      let place = place(of: bytes, Self.hash(bytes))
      return table[place] == 0 ? nil : table[place] - 1
    }
  }

  /// The name of a number.
  subscript(id: UInt32) -> String {
    let id = Int(id)
    guard id < count else { return "" }
    return String(decoding: bytes[ends[id]..<ends[id + 1]], as: UTF8.self)
  }

  /// The bytes of a name.
  func utf8(_ id: UInt32) -> ArraySlice<UInt8> {
    Int(id) < count ? bytes[ends[Int(id)]..<ends[Int(id) + 1]] : []
  }

  /// Where in the table a name stands, or would.
  @inline(__always)
  private func place(of name: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    let mask = table.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while table[place] != 0 {
      let known = Int(table[place]) - 1
      if hashes[known] == hash, isSame(known, name) { break }
      place = (place + 1) & mask
    }
    return place
  }

  @inline(__always)
  private func isSame(_ known: Int, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = ends[known]
    guard ends[known + 1] - start == name.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      for index in 0..<name.count where bytes[start + index] != name[index] { return false }
      return true
    }
  }

  /// Eight bytes at a time; names are short.
  @inline(__always)
  private static func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: name.count) &* 0x9E37_79B9_7F4A_7C15
    var word: UInt64 = 0
    for index in 0..<name.count {
      word = word << 8 | UInt64(name[index])
      guard index & 7 == 7 else { continue }
      hash = (hash ^ word) &* 0xBF58_476D_1CE4_E5B9
      hash ^= hash >> 31
      word = 0
    }
    hash = (hash ^ word) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 29)
  }

  private mutating func grow() {
    var larger = [UInt32](repeating: 0, count: table.count * 2)
    let mask = larger.count - 1
    for (id, hash) in hashes.enumerated() {
      var place = Int(truncatingIfNeeded: hash) & mask
      while larger[place] != 0 { place = (place + 1) & mask }
      larger[place] = UInt32(id + 1)
    }
    table = larger
  }
}
