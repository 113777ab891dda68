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
    return bytes.withUnsafeBytes { bytes in
      let name = UnsafeRawBufferPointer(name)
      let known = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + name.count)])
      for place in stride(from: 0, to: name.count, by: 8)
      where Self.word(known, place) != Self.word(name, place) { return false }
      return true
    }
  }

  /// Eight bytes at a time; names are short.
  @inline(__always)
  private static func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: name.count) &* 0x9E37_79B9_7F4A_7C15
    for place in stride(from: 0, to: name.count, by: 8) {
      hash = (hash ^ word(UnsafeRawBufferPointer(name), place)) &* 0xBF58_476D_1CE4_E5B9
      hash ^= hash >> 31
    }
    return hash
  }

  /// The eight bytes from a place on, or all that are left: with their number they say which.
  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
    func part<Word: FixedWidthInteger>(_ place: Int, _ type: Word.Type) -> UInt64 {
      UInt64(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: place, as: type))
    }
    switch bytes.count - place {
    case 8...: return part(place, UInt64.self)
    case 4...: return part(place, UInt32.self) | part(bytes.count - 4, UInt32.self) << 32
    case let rest:
      return part(place, UInt8.self) | part(place + rest / 2, UInt8.self) << 8
        | part(bytes.count - 1, UInt8.self) << 16
    }
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
