import Foundation
import NPUSim
import Testing

@Suite struct SafetensorsTests {
  /// A file with this header text and this many data bytes.
  private func file(_ header: String, data: Int = 0, headerSize: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let size = headerSize ?? UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + text
      + [UInt8](repeating: 7, count: data)
  }

  private func failure(_ bytes: [UInt8]) -> NPUError? {
    tensorFailure { _ = try Safetensors.decode(bytes, file: "f.safetensors") }
  }

  @Test func `a file of the reference library is read whole`() throws {
    let set = try Safetensors.read(GoldenTensors.path("reference.safetensors"))
    #expect(set.count == 11)
    #expect(set.metadata == ["t.I8.axis": "-2"])
    for dtype in DType.allCases {
      let name = "t.\(dtype.rawValue)"
      #expect(try set[name] == GoldenTensors.described(name).tensor)
    }
    #expect(try set["é \"quoted\"\n"]?.floats() == [1, 2, 3])
    let padded = try Safetensors.read(GoldenTensors.path("padded.safetensors"))
    #expect(try padded["scalar"]?.floats() == [2.5])
    #expect(padded["scalar"]?.shape == [])
    #expect(padded["empty"]?.shape == [0, 3])
  }

  @Test(arguments: ["reference.safetensors", "padded.safetensors"])
  func `writing what was read gives the bytes of the reference library`(_ name: String) throws {
    let bytes = try GoldenTensors.bytes(name)
    let set = try Safetensors.decode(bytes, file: name)
    #expect(try Safetensors.encode(set) == bytes)
    let folder = try TemporaryFolder()
    try Safetensors.write(set, to: folder("a.safetensors"), force: false)
    #expect(try folder.read("a.safetensors") == bytes)
    #expect(folder.names == ["a.safetensors"])
    #expect(try Safetensors.read(folder("a.safetensors")) == set)
  }

  @Test func `the bytes do not depend on the order of insertion`() throws {
    let reference = try Safetensors.read(GoldenTensors.path("reference.safetensors"))
    var reversed = TensorSet()
    for name in reference.names.reversed() {
      try reversed.insert(#require(reference[name]), named: name)
    }
    reversed.metadata = ["z": "1", "a": "2", "t.I8.axis": "-2"]
    var forward = reference
    forward.metadata = ["a": "2", "t.I8.axis": "-2", "z": "1"]
    #expect(try Safetensors.encode(forward) == Safetensors.encode(reversed))
  }

  @Test func `an empty file is a header`() throws {
    #expect(try Safetensors.encode(TensorSet()) == file("{}      "))
    #expect(try Safetensors.decode(file("{}"), file: "f").count == 0)
  }

  @Test func `nothing is overwritten without force`() throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", "a.safetensors")
    let error = tensorFailure {
      try Safetensors.write(TensorSet(), to: folder("a.safetensors"), force: false)
    }
    #expect(error?.category == .io)
    #expect(try folder.read("a.safetensors") == Array("mine".utf8))
    try Safetensors.write(TensorSet(), to: folder("a.safetensors"), force: true)
    #expect(try Safetensors.read(folder("a.safetensors")).count == 0)
  }

  static let a = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#

  static let faults: [(header: String, data: Int, message: String, column: Int?)] = [
    ("[1]", 0, "the text must start with `{`", 1),
    (" {}", 0, "the text must start with `{`", 1),
    ("", 0, "the text must start with `{`", 1),
    ("{\"a\":}", 0, "found `}` where a value is needed", 6),
    ("{\(a),\(a)}", 8, "the key \"a\" appears twice in one object", 55),
    ("{\"a\":3}", 0, "tensor \"a\" is the number 3; it must be an object", 6),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8,
      "the key \"data_offsets\" is missing in tensor \"a\"", 6
    ),
    (
      "{\"a\":{\"dtyp\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
      "unknown key \"dtyp\" in tensor \"a\"", 7
    ),
    (
      "{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8,
      "tensor \"a\" has dtype \"C64\", which is not supported", 15
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
      "tensor \"a\".shape is the number -2; it must be an integer, at least 0", 30
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8,
      "tensor \"a\".shape has the number 2.0; plain digits are needed", 30
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}", 8,
      "tensor \"a\".shape is the number 99999999999999999999; it must be an integer, at least 0",
      30
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
      "tensor \"a\": the shape [4294967296, 4294967296] has too many elements to count", 29
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
      "tensor \"a\": the shape [4611686018427387904] has too many bytes to count", 29
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8,
      "tensor \"a\" has 1 data_offsets; begin and end are needed", 48
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8,
      "tensor \"a\" ends at byte 0, before it begins at 8", 48
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
      "tensor \"a\" has 8 bytes; F32 of shape [3] takes 12", 48
    ),
    ("{\(a)}", 7, "tensor \"a\" ends at byte 8 of the data, which has only 7", 2),
    ("{\(a)}", 9, "the last 1 bytes of the data belong to no tensor", nil),
    ("{}", 1, "the last 1 bytes of the data belong to no tensor", nil),
    (
      "{\(a),\"b\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[6,10]}}", 10,
      "tensor \"b\" begins at byte 6 of the data, inside \"a\", which ends at 8", 55
    ),
    (
      "{\(a),\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[9,11]}}", 11,
      "bytes 8 to 8 of the data, before tensor \"b\", belong to no tensor", 55
    ),
    (
      "{\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[2,4]}}", 4,
      "bytes 0 to 1 of the data, before tensor \"b\", belong to no tensor", 2
    ),
    (
      "{\(a),\"e\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[3,3]}}", 8,
      "tensor \"e\" begins at byte 3 of the data, inside \"a\", which ends at 8", 55
    ),
    ("{\"__metadata__\":[]}", 0, "__metadata__ is an empty array; it must be an object", 17),
    (
      "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__.k is the number 1; it must be a string", 22
    ),
    (
      "{\"\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "a tensor has no name",
      nil
    ),
  ]

  @Test(arguments: faults)
  func `each fault of a header is named and located`(
    _ fault: (header: String, data: Int, message: String, column: Int?)
  ) throws {
    let error = try #require(failure(file(fault.header, data: fault.data)))
    #expect(error.category == .tensor)
    let isName = fault.message == "a tensor has no name"
    #expect(error.message == (isName ? "" : "safetensors header: ") + fault.message)
    #expect(error.location?.column == fault.column)
    #expect(error.location.map { $0.file == "f.safetensors" } ?? true)
  }

  @Test func `the size of the header is checked before anything is read`() throws {
    #expect(
      failure([1, 2, 3])?.message
        == "f.safetensors has 3 bytes; a safetensors file starts with the 8 bytes of its header size"
    )
    #expect(failure([])?.message.hasPrefix("f.safetensors has 0 bytes") == true)
    #expect(
      failure(file("{}", headerSize: 100_000_001))?.message
        == "f.safetensors claims a header of 100000001 bytes; safetensors allows 100000000")
    #expect(
      failure(file("{}", headerSize: .max))?.message.hasPrefix(
        "f.safetensors claims a header of 18446744073709551615 bytes") == true)
    #expect(
      failure(file("{}", headerSize: 3))?.message
        == "f.safetensors is truncated: its header takes 3 bytes, only 2 follow")
  }

  @Test func `every truncation of a file is an error`() throws {
    let bytes = try GoldenTensors.bytes("reference.safetensors")
    for count in stride(from: 0, to: bytes.count, by: 7) {
      #expect(failure(Array(bytes.prefix(count)))?.category == .tensor)
    }
    #expect(failure(bytes + [0]) != nil)
  }

  @Test func `a file on disk fails as one in memory does`() throws {
    let folder = try TemporaryFolder()
    for fault in Self.faults {
      let bytes = file(fault.header, data: fault.data)
      let path = folder("f.safetensors")
      try folder.write(bytes, "f.safetensors")
      let onDisk = tensorFailure { _ = try Safetensors.read(path) }
      #expect(onDisk == tensorFailure { _ = try Safetensors.decode(bytes, file: path) })
    }
    #expect(
      tensorFailure { _ = try Safetensors.read(folder.path) }?.message
        == "\(folder.path) is a folder; a file is needed")
  }
}
