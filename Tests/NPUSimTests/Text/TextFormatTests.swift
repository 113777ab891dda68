import NPUSim
import Testing

/// The canonical layout.
@Suite struct TextFormatTests {
  @Test func `layout is canonical and comments stay where they were`() throws {
    let text = """


      ;   top
      .param  n=4;trailing


      ; a
      .loop   i 0 ..< n   step 2   ; loop
        ; inside

         vector.fill  a [ i%2 ] [0+:n ,:]{value = -1.5}
      .if i==(1+2)*3-(4-5)

      barrier vector
      .else ; other
      .end ; done

      .end


      """
    let expected = """
      ;   top
      .param n = 4  ; trailing

      ; a
      .loop i 0..<n step 2  ; loop
        ; inside

        vector.fill a[i % 2][0 +: n, :] {value=-1.5}
        .if i == (1 + 2) * 3 - (4 - 5)
          barrier vector
        .else  ; other
        .end  ; done
      .end

      """
    #expect(try TextFixture.format(text) == expected)
    #expect(try TextFixture.format(expected) == expected)
  }

  @Test func `long lists are broken, and read again`() throws {
    let values = (0..<40).map(String.init).joined(separator: ",")
    let text = try TextFixture.format(".index list i32 [40] = [\(values)]")
    #expect(text.split(separator: "\n").count == 4)
    #expect(try TextFixture.format(text) == text)
    #expect(try TextFixture.program(text).indexLists == [(0..<40).map { Int32($0) }])
  }

  @Test func `random layouts of random programs are formatted back`() throws {
    let count = TextFixture.isFull ? 10_000 : 1000
    for seed in 0..<UInt64(count) {
      var programs = RandomPrograms(seed: seed)
      let text = String(
        decoding: try ProgramText.print(try programs.program()), as: UTF8.self)
      var random = SeededGenerator(seed: seed)
      let scattered = Self.scatter(text, &random)
      let once = try TextFixture.format(scattered)
      #expect(try TextFixture.format(once) == once, "seed \(seed)")
      let bare = once.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix(";") }
        .map { line in line.firstIndex(of: ";").map { String(line[..<$0]) } ?? String(line) }
        .map { $0.hasSuffix("  ") ? String($0.dropLast(2)) : $0 }
      let plain = text.split(separator: "\n").map(String.init)
      #expect(bare == plain, "seed \(seed)")
      let comments = scattered.count { $0 == ";" }
      #expect(once.count { $0 == ";" } == comments, "seed \(seed)")
    }
  }

  /// Other spaces, empty lines and comments; nothing that means anything is changed.
  private static func scatter(_ text: String, _ random: inout SeededGenerator) -> String {
    var result = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      for _ in 0..<random.below(3) where random.below(6) == 0 { result += "\n" }
      if random.below(12) == 0 { result += "\t; note \(random.below(99)) \n" }
      result += String(repeating: " ", count: random.below(5))
      for character in line {
        let isMark = "[]{},".contains(character)
        if isMark && random.below(3) == 0 { result += " " }
        result.append(character)
        if isMark && random.below(3) == 0 { result += random.below(2) == 0 ? "\t" : "  " }
      }
      if !line.isEmpty && random.below(10) == 0 { result += " ;x" }
      if random.below(4) == 0 { result += "  " }
      result += random.below(9) == 0 ? "\r\n" : "\n"
    }
    return result
  }
}
