/// The names of a text, each kept once and known by a number.
struct TextNames: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = [0]
  /// Open addressing: 0 is free, otherwise 1 + the name's number.
  private var table = [UInt32](repeating: 0, count: 64)

  /// How many names there are.
  var count: Int { ends.count - 1 }

  /// The number of a name, given its bytes.
  mutating func id(_ name: ArraySlice<UInt8>) -> UInt32 {
    let mask = table.count - 1
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var place = Int(truncatingIfNeeded: hash ^ (hash >> 29)) & mask
    while table[place] != 0 {
      let known = Int(table[place]) - 1
      let start = ends[known]
      if ends[known + 1] - start == name.count
        && bytes[start..<(start + name.count)].elementsEqual(name)
      {
        return UInt32(known)
      }
      place = (place + 1) & mask
    }
    bytes += name
    ends.append(bytes.count)
    table[place] = UInt32(count)
    let id = UInt32(count - 1)
    if count * 2 > table.count { grow() }
    return id
  }

  /// The number of a name.
  mutating func id(_ name: String) -> UInt32 { id(Array(name.utf8)[...]) }

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

  private mutating func grow() {
    var larger = [UInt32](repeating: 0, count: table.count * 2)
    let mask = larger.count - 1
    for id in 0..<count {
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in bytes[ends[id]..<ends[id + 1]] {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      }
      var place = Int(truncatingIfNeeded: hash ^ (hash >> 29)) & mask
      while larger[place] != 0 { place = (place + 1) & mask }
      larger[place] = UInt32(id + 1)
    }
    table = larger
  }
}
