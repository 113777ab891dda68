import NPUSim
import Testing

@Suite struct NpyTests {
  /// A version 1.0 file with this header text.
  private func file(_ text: String, data: Int = 0, version: [UInt8] = [1, 0]) -> [UInt8] {
    let header = Array(text.utf8)
    return [0x93] + Array("NUMPY".utf8) + version
      + [UInt8(header.count & 255), UInt8(header.count >> 8)] + header
      + [UInt8](repeating: 0, count: data)
  }

  private func failure(_ bytes: [UInt8], as dtype: DType? = nil) -> NPUError? {
    tensorFailure { _ = try Npy.decode(bytes, file: "f.npy", as: dtype) }
  }

  @Test(arguments: DType.allCases)
  func `files of NumPy are read, and written with the same bytes`(_ dtype: DType) throws {
    let name = "\(dtype.rawValue).npy"
    let expected = try GoldenTensors.described("t.\(dtype.rawValue)").tensor
    let tensor = try Npy.read(GoldenTensors.path(name), as: dtype)
    #expect(tensor == expected)
    #expect(try Npy.encode(tensor) == GoldenTensors.bytes(name))
    let folder = try TemporaryFolder()
    try Npy.write(tensor, to: folder("a.npy"), force: false)
    #expect(try folder.read("a.npy") == GoldenTensors.bytes(name))
    #expect(tensorFailure { try Npy.write(tensor, to: folder("a.npy"), force: false) } != nil)
  }

  @Test(arguments: [DType.bf16, .e4m3fn, .e5m2, .e8m0])
  func `arrays saved by ml_dtypes itself are read too`(_ dtype: DType) throws {
    let path = GoldenTensors.path("\(dtype.rawValue).ml_dtypes.npy")
    #expect(
      try Npy.read(path, as: dtype) == GoldenTensors.described("t.\(dtype.rawValue)").tensor)
  }

  @Test(arguments: [[], [0], [7], [2, 3, 4]])
  func `every rank is read and written as NumPy does`(_ shape: [Int]) throws {
    let name = "shape" + shape.map { "_\($0)" }.joined()
    let tensor = try Npy.read(GoldenTensors.path(name + ".npy"))
    #expect(tensor == (try GoldenTensors.described(name).tensor))
    #expect(tensor.shape == shape)
    #expect(try Npy.encode(tensor) == GoldenTensors.bytes(name + ".npy"))
  }

  @Test func `all versions of the format are read`() throws {
    let expected = try GoldenTensors.described("version").tensor
    #expect(try Npy.read(GoldenTensors.path("version_2.npy")) == expected)
    #expect(try Npy.read(GoldenTensors.path("version_3.npy")) == expected)
  }

  @Test func `a header too long for version 1 is written as version 2`() throws {
    let tensor = try Tensor(zeros: .i8, shape: [Int](repeating: 1, count: 21_000))
    let bytes = Npy.encode(tensor)
    #expect(bytes[6] == 1)
    #expect(try Npy.decode(bytes, file: "f") == tensor)
    let longer = try Tensor(zeros: .i8, shape: [Int](repeating: 1, count: 22_000))
    #expect(Npy.encode(longer)[6] == 2)
    #expect(
      failure(Npy.encode(longer))?.message.hasPrefix("f.npy claims an .npy header of") == true)
  }

  @Test func `raw words need a type where the file does not tell`() throws {
    #expect(try Npy.read(GoldenTensors.path("BF16.npy")).dtype == .bf16)
    #expect(try Npy.read(GoldenTensors.path("F8_E5M2.ml_dtypes.npy")).dtype == .e5m2)
    let path = GoldenTensors.path("F8_E8M0.npy")
    let error = tensorFailure { _ = try Npy.read(path) }
    #expect(
      error?.message
        == "\(path) holds bytes of type '|u1', which may be F8_E4M3, F8_E5M2, F8_E8M0")
    #expect(error?.hint == "name the dtype in the manifest")
    let wrong = tensorFailure { _ = try Npy.read(path, as: .f32) }
    #expect(wrong?.message == "\(path) holds elements of type '|u1', not F32")
  }

  @Test func `arrays that are not supported say what to do`() throws {
    func error(_ name: String) -> NPUError? {
      tensorFailure { _ = try Npy.read(GoldenTensors.path(name)) }
    }
    #expect(error("fortran.npy")?.message.hasSuffix("Fortran order; C order is needed") == true)
    #expect(error("fortran.npy")?.hint == "save numpy.ascontiguousarray(x)")
    #expect(error("big_endian.npy")?.message.contains("type '>i4', which is not") == true)
    #expect(error("complex.npy")?.message.contains("type '<c8', which is not") == true)
    #expect(error("complex.npy")?.hint?.contains(".astype") == true)
    #expect(error("structured.npy")?.message.contains("the elements are structured") == true)
  }

  static let texts: [(text: String, message: String, byte: Int)] = [
    ("", "found the end of the header where `{` is needed", 10),
    ("[]", "found `[` where `{` is needed", 10),
    ("{}", "the key 'descr' is missing", 10),
    ("{'descr': '<f4'}", "the key 'fortran_order' is missing", 10),
    ("{'descr': '<f4', 'fortran_order': True}", "the key 'shape' is missing", 10),
    ("{'descr': '<f4', 'descr': '<f4'}", "the key 'descr' appears twice", 27),
    ("{'other': 1}", "unknown key \"other\"", 11),
    ("{'descr' '<f4'}", "found `'` where `:` is needed", 19),
    ("{'descr': 4}", "found `4` where a quoted string is needed", 20),
    ("{'descr': '<f4", "a string does not end", 20),
    ("{'descr': '<f\\x34'}", "found `\\` inside a string", 23),
    ("{'descr': '<f4' 'shape': ()}", "found `'` where `}` is needed", 26),
    ("{'fortran_order': 0}", "found `0` where True or False is needed", 28),
    ("{'shape': [2]}", "found `[` where `(` is needed", 20),
    ("{'shape': (2)}", "found `)` where `,` is needed in the shape", 22),
    ("{'shape': (2, -1)}", "found `-` where a dimension is needed", 24),
    ("{'shape': (2, x)}", "found `x` where a dimension is needed", 24),
    ("{'shape': (2 3)}", "found `3` where `,` is needed in the shape", 23),
    ("{'shape': (1, 2 3)}", "found `3` where `)` is needed", 26),
    ("{'shape': (99999999999999999999,)}", "the dimension has too many digits", 21),
    ("{'shape': (2,", "found the end of the header where a dimension is needed", 23),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", "found `x` after the dictionary",
      64
    ),
  ]

  @Test(arguments: texts)
  func `each fault of a header is named with its byte`(
    _ fault: (text: String, message: String, byte: Int)
  ) throws {
    let error = try #require(failure(file(fault.text)))
    #expect(error.category == .tensor)
    #expect(error.message == ".npy header, byte \(fault.byte): \(fault.message)")
    #expect(error.location == SourceLocation(file: "f.npy", line: 1, column: fault.byte + 1))
  }

  @Test func `preamble and size are checked`() {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"
    #expect(
      failure(file(header, data: 7))?.message
        == "f.npy is truncated: '<f4' of shape [2] takes 8 bytes, 7 follow the header")
    #expect(
      failure(file(header, data: 9))?.message
        == "f.npy is too long: '<f4' of shape [2] takes 8 bytes, 9 follow the header")
    #expect(
      failure(file("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,)}"))?
        .message == "f.npy: the shape [9223372036854775807] has too many bytes to count")
    #expect(failure([])?.message == "f.npy does not start with the mark of an .npy file")
    #expect(
      failure(Array("PK\u{3}\u{4} zip".utf8))?.message
        == "f.npy does not start with the mark of an .npy file")
    let bytes = file(header, data: 8)
    for count in 6..<10 {
      #expect(
        failure(Array(bytes.prefix(count)))?.message
          == "f.npy is truncated: it ends inside the .npy preamble")
    }
    #expect(
      failure(Array(bytes.prefix(20)))?.message
        == "f.npy is truncated: its .npy header takes 55 bytes, only 10 follow")
    #expect(
      failure(file(header, version: [4, 0]))?.message
        == "f.npy has .npy version 4.0; 1.0, 2.0 and 3.0 are supported")
    #expect(
      failure(Array(file(header, version: [2, 0]).prefix(11)))?.message
        == "f.npy is truncated: it ends inside the .npy preamble")
  }

  @Test func `a file on disk fails as one in memory does`() throws {
    let folder = try TemporaryFolder()
    for fault in Self.texts {
      try folder.write(file(fault.text), "f.npy")
      let path = folder("f.npy")
      let inMemory = tensorFailure { _ = try Npy.decode(file(fault.text), file: path) }
      #expect(tensorFailure { _ = try Npy.read(path) } == inMemory)
    }
  }
}
