import NPUSim
import Testing

@Suite struct JSONParseTests {
  private func parse(_ text: String) throws(NPUError) -> JSONValue {
    try JSONValue.parse(text, file: "t.json")
  }

  private func failure(_ bytes: [UInt8]) -> NPUError? {
    do {
      _ = try JSONValue.parse(bytes, file: "t.json")
      return nil
    } catch { return error }
  }

  private func failure(_ text: String) -> NPUError? { failure(Array(text.utf8)) }

  @Test func `every kind of value is read`() throws {
    let value = try parse(
      #" { "a" : [ null , true , false ] , "b" : "x" , "c" : -1.5e2, "d":{} } "#)
    #expect(value == ["a": [nil, true, false], "b": "x", "c": -150, "d": [:]])
    #expect(value.members.map(\.key) == ["a", "b", "c", "d"])
    #expect(value["c"]?.summary == "the number -1.5e2")
    #expect(value["missing"] == nil)
    #expect(try parse("0") == 0)
    #expect(try parse("\"\"") == "")
  }

  @Test func `every value and key knows its place`() throws {
    let value = try parse("{\n  \"é\": [1,\r\n\t\"päö\", 22]\n}")
    let member = try #require(value.members.first)
    #expect(value.location == SourceLocation(file: "t.json", line: 1, column: 1))
    #expect(value.span?.byteCount == 30)
    #expect(
      member.keySpan?.location == SourceLocation(file: "t.json", line: 2, column: 3, length: 3))
    #expect(member.keySpan?.byteOffset == 4)
    #expect(member.keySpan?.byteCount == 4)
    #expect(member.value.location == SourceLocation(file: "t.json", line: 2, column: 8))
    let items = member.value.elements
    #expect(items[0].location?.column == 9)
    #expect(
      items[1].location == SourceLocation(file: "t.json", line: 3, column: 2, length: 5))
    #expect(
      items[2].location == SourceLocation(file: "t.json", line: 3, column: 9, length: 2))
  }

  @Test func `strings decode every escape`() throws {
    let value = try parse(#""\"\\\/\b\f\n\r\tA\u00e9\u20AC\ud83d\uDE00\u0000é€😀""#)
    #expect(value == .string("\"\\/\u{8}\u{C}\n\r\tAé€😀\0é€😀"))
  }

  @Test func `numbers keep their exact value`() throws {
    func number(_ text: String) throws -> JSONNumber { try parse(text).requireNumber("x") }
    #expect(try number("9223372036854775807").integer == .max)
    #expect(try number("-9223372036854775808").integer == .min)
    #expect(try number("9223372036854775808").integer == nil)
    #expect(try number("9223372036854775808").unsigned == 1 << 63)
    #expect(try number("18446744073709551616").unsigned == nil)
    #expect(try number("1e3").integer == 1000)
    #expect(try number("2.50e1").integer == 25)
    #expect(try number("-0").integer == 0)
    #expect(try number("-0").double.sign == .minus)
    #expect(try number("51.2").double == 51.2)
    #expect(try number("51.2").text == "51.2")
    let rate = try #require(try number("51.2").fraction)
    #expect(rate == (256, 5))
    let small = try #require(try number("-0.00048828125e0").fraction)
    #expect(small == (-1, 2048))
    let wide = try #require(try number("1.000000000000000000000000000000").fraction)
    #expect(wide == (1, 1))
    let zero = try #require(try number("0e999999999999999999999").fraction)
    #expect(zero == (0, 1))
    #expect(try number("1e-40").fraction == nil)
    #expect(try number("1e-9223372036854775808").fraction == nil)
    #expect(try number("123456789012345678901234567890").fraction == nil)
    #expect(try number("3.7").integer == nil)
    #expect(try number("1e-999").double == 0)
  }

  static let faults: [(text: String, message: String, line: Int, column: Int)] = [
    ("", "the text is empty; one JSON value is needed", 1, 1),
    (" \n ", "the text is empty; one JSON value is needed", 2, 2),
    ("{} x", "found `x` after the end of the JSON value", 1, 4),
    ("{\"a\":1,}", "a comma right before `}`", 1, 7),
    ("[1,\n]", "a comma right before `]`", 1, 3),
    ("[,1]", "found `,` where a value is needed", 1, 2),
    ("[1 2]", "found `2` where `,` or `]` is needed", 1, 4),
    ("{\"a\" 1}", "found `1` where `:` is needed after the key", 1, 6),
    ("{a:1}", "found `a` where a key is needed", 1, 2),
    ("{\"a\":1 \"b\":2}", "found `\"` where `,` or `}` is needed", 1, 8),
    ("{\"k\":1,\n \"k\":2}", "the key \"k\" appears twice in one object", 2, 2),
    ("{\"k\":1,\"\\u006b\":2}", "the key \"k\" appears twice in one object", 1, 8),
    ("{\"a\":", "the text ends inside the object opened on line 1, column 1", 1, 6),
    ("{\"a\"", "the text ends inside the object opened on line 1, column 1", 1, 5),
    ("{\"a\":1", "the text ends inside the object opened on line 1, column 1", 1, 7),
    ("[\n [1,", "the text ends inside the array opened on line 2, column 2", 2, 5),
    ("[", "the text ends inside the array opened on line 1, column 1", 1, 2),
    ("\"abc", "the text ends inside a string", 1, 1),
    ("\"abc\\", "the text ends inside a string", 1, 1),
    ("\"abc\\\"", "the text ends inside a string", 1, 1),
    ("\"ab\nc\"", "the string does not end on its line", 1, 1),
    ("\"aé\u{1}\"", "the control character U+0001 stands inside a string", 1, 4),
    ("\"é\\q\"", "unknown escape in a string", 1, 3),
    ("\"\\u12g4\"", "\\u needs four hexadecimal digits", 1, 2),
    ("\"\\u12\"", "\\u needs four hexadecimal digits", 1, 2),
    ("\"x\\ud800\"", "the escape is half of a surrogate pair", 1, 3),
    ("\"\\ud800\\n\"", "the escape is half of a surrogate pair", 1, 2),
    ("\"\\ud800\\ud800\"", "the escape is half of a surrogate pair", 1, 2),
    ("\"\\udc00\"", "the escape is half of a surrogate pair", 1, 2),
    ("01", "a number may not start with a zero", 1, 1),
    ("-", "found the end of the text where a digit is needed", 1, 2),
    ("1.", "found the end of the text where a digit is needed after the decimal point", 1, 3),
    ("[1.e3]", "found `e` where a digit is needed after the decimal point", 1, 4),
    ("1e+", "found the end of the text where the digits of the exponent are needed", 1, 4),
    ("1e999", "the number is too large: doubles end at 1.8e308", 1, 1),
    ("[+1]", "found `+` where a value is needed", 1, 2),
    ("[.5]", "found `.` where a value is needed", 1, 2),
    ("[NaN]", "found `NaN` where a value is needed", 1, 2),
    ("[True]", "found `True` where a value is needed", 1, 2),
    ("['a']", "found `'` where a value is needed", 1, 2),
    ("// c\n1", "found `/` where a value is needed", 1, 1),
    ("[\u{1}]", "found the byte 0x01 where a value is needed", 1, 2),
    ("[é]", "found the byte 0xC3 where a value is needed", 1, 2),
    ("\u{FEFF}1", "the text starts with a byte order mark", 1, 1),
  ]

  @Test(arguments: faults)
  func `a fault is named and located`(
    _ fault: (text: String, message: String, line: Int, column: Int)
  ) throws {
    let error = try #require(failure(fault.text))
    #expect(error.category == .parse)
    #expect(error.message == fault.message)
    #expect(error.location?.file == "t.json")
    #expect(error.location?.line == fault.line)
    #expect(error.location?.column == fault.column)
  }

  @Test func `hints say what to write instead`() {
    #expect(failure("[True]")?.hint == "write true")
    #expect(failure("[None]")?.hint == "write null")
    #expect(failure("[abc]")?.hint == "a string needs double quotes")
    #expect(failure("['a']")?.hint == "a string needs double quotes")
    #expect(failure("{a:1}")?.hint == "keys are written in double quotes")
    #expect(failure("#")?.hint == "JSON has no comments")
    #expect(failure("[Infinity]")?.hint == "JSON has no NaN or infinity")
    #expect(failure("{\"k\":1,\n\"k\":2}")?.hint == "it is already on line 1; keep one of them")
  }

  static let invalidUTF8: [(bytes: [UInt8], offset: Int, column: Int)] = [
    ([0x80], 1, 2), ([0x61, 0xC3], 2, 3), ([0xC3, 0xA9, 0xFF], 3, 3), ([0xC0, 0x80], 1, 2),
    ([0xED, 0xA0, 0x80], 1, 2), ([0xF0, 0x9F, 0x98, 0x80, 0xF5, 0x80], 5, 3),
    ([0xE2, 0x82], 1, 2), ([0x5C, 0x6E, 0xF4, 0x90, 0x80, 0x80], 3, 4),
  ]

  @Test(arguments: invalidUTF8)
  func `a string that is not UTF-8 is located at its first bad byte`(
    _ fault: (bytes: [UInt8], offset: Int, column: Int)
  ) throws {
    let error = try #require(failure([0x22] + fault.bytes + [0x22]))
    #expect(error.message.hasPrefix("the string is not valid UTF-8"))
    #expect(error.message.hasSuffix("at offset \(fault.offset))"))
    #expect(error.location?.column == fault.column)
  }

  @Test func `nesting is allowed up to the limit and not beyond`() throws {
    let limit = JSONValue.depthLimit
    let open = String(repeating: "[", count: limit)
    let close = String(repeating: "]", count: limit)
    _ = try parse(open + close)
    let error = try #require(failure("[" + open + close + "]"))
    #expect(error.message == "nested deeper than 128 levels")
    #expect(error.location?.column == limit + 1)
    #expect(failure(String(repeating: "[", count: 1_000_000)) != nil)
    _ = try parse("[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]")
  }

  @Test func `the category of the errors is the caller's choice`() {
    let error = #expect(throws: NPUError.self) {
      try JSONValue.parse("{", file: "f", category: .tensor)
    }
    #expect(error?.category == .tensor)
  }
}
