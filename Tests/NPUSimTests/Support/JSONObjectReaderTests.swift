import NPUSim
import Testing

@Suite struct JSONObjectReaderTests {
  private enum Kind: String, CaseIterable {
    case cube
    case systolic
  }

  private static let text = """
    {
      "name": "edge",
      "vector": { "lanes": 64, "rate": 51.2, "fast": true, "kind": "cube", "sizes": [1, 2] }
    }
    """
  private static let vectorKeys = [
    "lanes", "rate", "fast", "kind", "sizes", "depth",
  ]

  private func reader(_ text: String = text, keys: [String] = ["name", "vector"]) throws
    -> JSONObjectReader
  {
    try JSONObjectReader(
      JSONValue.parse(text, file: "c.json"), keys: keys, category: .configuration)
  }

  private func failure(_ body: () throws -> Void) -> NPUError? {
    do {
      try body()
      return nil
    } catch { return error as? NPUError }
  }

  @Test func `known keys are read with their types`() throws {
    let root = try reader()
    let vector = try root.object("vector", keys: Self.vectorKeys)
    #expect(try root.string("name") == "edge")
    #expect(try vector.int("lanes", in: 1...4096) == 64)
    #expect(try vector.double("rate") == 51.2)
    #expect(try vector.number("rate").text == "51.2")
    #expect(try vector.bool("fast"))
    #expect(try vector.choice("kind", of: Kind.self) == .cube)
    #expect(try vector.array("sizes").count == 2)
    #expect(try vector.int("depth", default: 7) == 7)
    #expect(try vector.optional("depth") == nil)
    #expect(!vector.has("depth"))
    #expect(vector.path == "vector")
    #expect(vector.path(of: "lanes") == "vector.lanes")
  }

  @Test func `an unknown key is located and the closest known one is offered`() throws {
    let error = try #require(
      failure { _ = try reader().object("vector", keys: ["lane", "rates", "fast", "kind"]) })
    #expect(error.category == .configuration)
    #expect(error.message == "unknown key \"lanes\" in vector")
    #expect(
      error.location == SourceLocation(file: "c.json", line: 3, column: 15, length: 7))
    #expect(error.hint == "did you mean \"lane\"?")
    let root = try #require(failure { _ = try reader("{\"zzz\": 1}", keys: ["a", "b"]) })
    #expect(root.message == "unknown key \"zzz\"")
    #expect(root.hint == "known: a, b")
  }

  @Test func `a missing key is reported at its object`() throws {
    let error = try #require(
      failure {
        _ = try reader().object("vector", keys: Self.vectorKeys).int("depth")
      })
    #expect(error.message == "the key \"depth\" is missing in vector")
    #expect(error.location == SourceLocation(file: "c.json", line: 3, column: 13))
  }

  static let mismatches: [(value: String, message: String)] = [
    ("\"x\"", "v is the string \"x\"; it must be an integer from 1 to 8"),
    ("9", "v is the number 9; it must be an integer from 1 to 8"),
    ("1.5", "v is the number 1.5; it must be an integer from 1 to 8"),
    ("1e30", "v is the number 1e30; it must be an integer from 1 to 8"),
    ("null", "v is null; it must be an integer from 1 to 8"),
    ("[]", "v is an empty array; it must be an integer from 1 to 8"),
    ("{}", "v is an object; it must be an integer from 1 to 8"),
  ]

  @Test(arguments: mismatches)
  func `a value of the wrong type says what it is and must be`(
    _ mismatch: (value: String, message: String)
  ) throws {
    let error = try #require(
      failure { _ = try reader("{\"v\": \(mismatch.value)}", keys: ["v"]).int("v", in: 1...8) })
    #expect(error.message == mismatch.message)
    #expect(error.location?.column == 7)
  }

  @Test func `ranges and kinds appear in the messages`() throws {
    let value = try JSONValue.parse("-3", file: "f")
    func message(_ body: (JSONValue) throws -> Void) -> String? {
      failure { try body(value) }?.message
    }
    #expect(
      message { _ = try $0.requireInt("v", in: 0...Int.max) }
        == "v is the number -3; it must be an integer, at least 0")
    #expect(
      message { _ = try $0.requireInt("v", in: Int.min...(-4)) }
        == "v is the number -3; it must be an integer, at most -4")
    #expect(
      message { _ = try $0.requireDouble("v", in: 0...1) }
        == "v is the number -3; it must be a number from 0.0 to 1.0")
    #expect(
      message { _ = try $0.requireString("v") } == "v is the number -3; it must be a string")
    #expect(
      message { _ = try $0.requireBool("v") } == "v is the number -3; it must be true or false")
    #expect(
      message { _ = try $0.requireArray("v") } == "v is the number -3; it must be an array")
    #expect(
      message { _ = try $0.requireMembers("v") } == "v is the number -3; it must be an object")
  }

  @Test func `a wrong choice names the closest one`() throws {
    let error = try #require(
      failure {
        _ = try reader("{\"kind\": \"cubes\"}", keys: ["kind"]).choice("kind", of: Kind.self)
      })
    #expect(error.message == "kind is the string \"cubes\", which is not one of its choices")
    #expect(error.hint == "did you mean \"cube\"?")
  }
}
