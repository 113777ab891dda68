import NPUSim
import Testing

/// Lists of values and their combinations.
@Suite struct ValueProductTests {
  private func list(_ name: String, _ text: String) throws(NPUError) -> ValueProduct.List {
    try ValueProduct.List(name, text, flag: "--param")
  }

  @Test func `combinations are those of nested loops, the last list innermost`() throws {
    let product = try ValueProduct([
      list("a", "0..2"), list("b", "x,y"), list("c", "-1..1,7"),
    ])
    var expected: [String] = []
    for a in 0...2 {
      for b in ["x", "y"] {
        for c in [-1, 0, 1, 7] { expected.append("a=\(a) b=\(b) c=\(c)") }
      }
    }
    #expect(product.count == expected.count)
    #expect((0..<product.count).map { product.words($0) } == expected)
  }

  @Test func `a range has both of its ends`() throws {
    #expect(try list("n", "-2..1").values == ["-2", "-1", "0", "1"])
    #expect(try list("n", "5..5").values == ["5"])
    #expect(try list("n", "9223372036854775806..9223372036854775807").values.count == 2)
    #expect(try list("n", "007,+8").values == ["7", "8"])
  }

  @Test(arguments: [
    ("", "has an empty value"), ("1,,2", "has an empty value"), ("1,", "has an empty value"),
    ("9..0", "nothing lies in the range 9..0"), ("0..", "a range of whole numbers, found '0..'"),
    ("..3", "found '..3'"), ("0..<4", "found '0..<4'"), ("0...4", "found '0...4'"),
    ("0..1..2", "found '0..1..2'"), ("1,1", "names 1 twice"), ("0..9,05", "names 5 twice"),
    ("a,a", "names a twice"),
  ])
  func `what is no list is refused with what is wrong`(text: String, message: String) throws {
    let error = #expect(throws: NPUError.self) { try list("n", text) }
    #expect(error?.category == .usage)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    #expect(error?.hint != nil)
  }

  @Test func `more values than the limit are refused before they are made`() throws {
    #expect(try list("n", "1..65536").values.count == ValueProduct.limit)
    let all = "-9223372036854775808..9223372036854775807"
    for text in ["0..65536", all, "0..65535,-1", "-9..-1,0..65535"] {
      let error = #expect(throws: NPUError.self) { try list("n", text) }
      #expect(error?.category == .limit && error?.message.contains("65536") == true, "\(text)")
    }
    let half = [try list("a", "1..256"), try list("b", "1..256")]
    #expect(try ValueProduct(half).count == ValueProduct.limit)
    let error = #expect(throws: NPUError.self) {
      try ValueProduct(half + Array(repeating: list("c", "1..65536"), count: 8))
    }
    #expect(error?.category == .limit)
    #expect(error?.message.contains("a=1..256 and b=1..256 and c=1..65536") == true)
  }
}
