import Foundation
import NPUSim
import Testing

@Suite struct TensorFolderTests {
  private func sample() throws -> TensorSet {
    var set = TensorSet()
    for dtype in DType.allCases {
      try set.insert(
        GoldenTensors.described("t.\(dtype.rawValue)").tensor, named: "t.\(dtype.rawValue)")
    }
    try set.insert(
      MXTensor(
        payload: Tensor(zeros: .i8, shape: [40, 2]), scale: Tensor(zeros: .e8m0, shape: [2, 2]),
        axis: 0), named: "v")
    set.metadata["note"] = "kept"
    return set
  }

  /// The error of reading a folder with this manifest beside an F32 file `x.npy` of shape [7].
  private func failure(_ manifest: String) throws -> NPUError? {
    let folder = try TemporaryFolder()
    try folder.write(manifest, "manifest.json")
    try folder.write(GoldenTensors.bytes("shape_7.npy"), "x.npy")
    var error = tensorFailure { _ = try TensorFolder.read(folder.path) }
    let message = error?.message.replacingOccurrences(of: folder.path, with: "DIR")
    error?.message = message ?? ""
    return error
  }

  @Test func `a folder without a manifest names its tensors for its files`() throws {
    let folder = try TemporaryFolder()
    var set = TensorSet()
    try set.insert(Tensor(rounding: [1, 2], to: .bf16, shape: [2]), named: "softmaxed_v.qk_T")
    try set.insert(
      MXTensor(
        payload: Tensor(zeros: .i8, shape: [40, 2]), scale: Tensor(zeros: .e8m0, shape: [2, 2]),
        axis: 0), named: "softmaxed_v.v")
    try TensorFolder.write(set, to: folder("kv-size-40_seed-0"), force: false)
    try FileManager.default.removeItem(atPath: folder("kv-size-40_seed-0/manifest.json"))
    let read = try TensorFolder.read(folder("kv-size-40_seed-0"))
    #expect(Set(read.names) == Set(set.names))
    #expect(read["softmaxed_v.qk_T"] == set["softmaxed_v.qk_T"])
    // Only one block axis fits the shape of the scales.
    #expect(try read.mxTensor(named: "softmaxed_v.v", expectedAxis: -2).axis == 0)
    #expect(throws: NPUError.self) { try read.mxTensor(named: "softmaxed_v.v") }
  }

  @Test func `what is written is read back, with the axis in the manifest`() throws {
    let folder = try TemporaryFolder()
    let set = try sample()
    try TensorFolder.write(set, to: folder("out"), force: false)
    #expect(try TensorFolder.read(folder("out")) == set)
    #expect(folder.names == ["out"])
    let manifest = try JSONValue.parse(folder.read("out/manifest.json"), file: "manifest.json")
    #expect(manifest.members.map(\.key) == set.names + ["__metadata__"])
    #expect(
      manifest["v"] == ["file": "v.npy", "dtype": "I8", "shape": [40, 2], "axis": -2])
    #expect(manifest["__metadata__"] == ["note": "kept"])
    let npy = try folder.read("out/t.F8_E8M0.npy")
    #expect(try npy == GoldenTensors.bytes("F8_E8M0.npy"))
    try TensorFolder.write(set, to: folder("again"), force: false)
    #expect(try folder.read("out/manifest.json") == folder.read("again/manifest.json"))
  }

  @Test func `every name becomes a file name that is safe and its own`() throws {
    let folder = try TemporaryFolder()
    var set = TensorSet()
    let long = String(repeating: "n", count: 300)
    let names = [
      "../up", "/abs", ".", "..", ".hidden", "a/b", "A/B", "a", "A", "é", "manifest.json", "%41",
      long, long + "2", "con trol\u{1}", "a-2",
    ]
    for (index, name) in names.enumerated() {
      try set.insert(Tensor(words: [Int32(index)], dtype: .i32, shape: [1]), named: name)
    }
    try TensorFolder.write(set, to: folder("out"), force: false)
    #expect(try TensorFolder.read(folder("out")) == set)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder("out"))
    #expect(files.count == names.count + 1)
    #expect(Set(files.map { $0.lowercased() }).count == files.count)
    #expect(files.allSatisfy { !$0.hasPrefix(".") && $0.utf8.count < 255 })
    #expect(folder.names == ["out"])
  }

  @Test func `an existing folder is replaced by force, and only if it is a tensor folder`() throws {
    let folder = try TemporaryFolder()
    let set = try sample()
    var small = TensorSet()
    try small.insert(Tensor(zeros: .i8, shape: [1]), named: "x")
    try TensorFolder.write(set, to: folder("out"), force: false)
    let existing = tensorFailure { try TensorFolder.write(small, to: folder("out"), force: false) }
    #expect(existing?.category == .io)
    #expect(existing?.message == "\(folder("out")) exists already and is not overwritten")
    #expect(try TensorFolder.read(folder("out")) == set)
    try TensorFolder.write(small, to: folder("out"), force: true)
    #expect(try TensorFolder.read(folder("out")) == small)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("out")).sorted()
        == ["manifest.json", "x.npy"])
    try folder.write("mine", "out/notes.txt")
    let kept = tensorFailure { try TensorFolder.write(set, to: folder("out"), force: true) }
    #expect(
      kept?.message == "the folder \(folder("out")) holds notes.txt, which is not part of it, "
        + "and is not replaced")
    #expect(try folder.read("out/notes.txt") == Array("mine".utf8))
    #expect(folder.names == ["out"])
  }

  @Test func `a folder that is no tensor folder is never replaced, an empty one is filled`() throws
  {
    let folder = try TemporaryFolder()
    let set = try sample()
    let manager = FileManager.default
    for name in ["full", "deep/manifest.json", "empty"] {
      try manager.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
    }
    try folder.write("mine", "full/file")
    for name in ["full", "deep"] {
      for force in [false, true] {
        #expect(
          tensorFailure { try TensorFolder.write(set, to: folder(name), force: force) }?.category
            == .io)
      }
    }
    #expect(try folder.read("full/file") == Array("mine".utf8))
    try TensorFolder.write(set, to: folder("empty"), force: false)
    #expect(try TensorFolder.read(folder("empty/")) == set)
    try folder.write("a file", "file")
    #expect(
      tensorFailure { try TensorFolder.write(set, to: folder("file"), force: true) }?.message
        == "cannot write the folder \(folder("file")): a file has that name")
    for name in [".", "..", "", "/"] {
      #expect(tensorFailure { try TensorFolder.write(set, to: name, force: true) } != nil)
    }
    #expect(
      tensorFailure { try TensorFolder.write(set, to: folder("no/where"), force: false) }?.message
        == "cannot create the folder \(folder("no/where")): the folder \(folder("no")) "
        + "does not exist")
    #expect(folder.names == ["deep", "empty", "file", "full"])
  }

  @Test func `a parent without write permission is named`() throws {
    let folder = try TemporaryFolder()
    let set = try sample()
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
    var error: NPUError?
    withOrdinaryPermissions {
      error = tensorFailure { try TensorFolder.write(set, to: folder("out"), force: false) }
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
    #expect(error?.message == "cannot create the folder \(folder("out")): permission denied")
  }

  @Test func `a manifest by hand may leave out the shape`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("sub"), withIntermediateDirectories: true)
    try folder.write(GoldenTensors.bytes("BF16.ml_dtypes.npy"), "sub/x.npy")
    try folder.write(#"{"x": {"file": "sub/x.npy", "dtype": "BF16", "axis": 0}}"#, "manifest.json")
    let set = try TensorFolder.read(folder.path)
    #expect(try set["x"] == GoldenTensors.described("t.BF16").tensor)
    #expect(set.metadata == ["x.axis": "0"])
  }

  static let faults: [(manifest: String, message: String, column: Int?)] = [
    ("[]", "the manifest is an empty array; it must be an object", 1),
    ("{", "the text ends inside the object opened on line 1, column 1", 2),
    (#"{"x":1}"#, "\"x\" is the number 1; it must be an object", 6),
    (#"{"x":{"file":"x.npy"}}"#, "the key \"dtype\" is missing in \"x\"", 6),
    (#"{"x":{"dtype":"F32"}}"#, "the key \"file\" is missing in \"x\"", 6),
    (#"{"x":{"fiel":"x.npy","dtype":"F32"}}"#, "unknown key \"fiel\" in \"x\"", 7),
    (
      #"{"x":{"file":"x.npy","dtype":"F33"}}"#,
      "\"x\".dtype is the string \"F33\", which is not one of its choices", 30
    ),
    (
      #"{"x":{"file":"x.npy","dtype":"BF16"}}"#,
      "DIR/x.npy holds elements of type '<f4', not BF16", nil
    ),
    (
      #"{"x":{"file":"x.npy","dtype":"F32","shape":[8]}}"#,
      "the manifest gives \"x\" the shape [8]; x.npy has [7]", 2
    ),
    (
      #"{"x":{"file":"x.npy","dtype":"F32","shape":[-7]}}"#,
      "\"x\".shape is the number -7; it must be an integer, at least 0", 45
    ),
    (
      #"{"x":{"file":"x.npy","dtype":"F32","axis":1}}"#,
      "\"x\": axis 1 is not a dimension of a tensor of rank 1", 2
    ),
    (
      #"{"x":{"file":"x.npy","dtype":"F32","axis":0},"__metadata__":{"x.axis":"0"}}"#,
      "the block axis of \"x\" is given twice", 2
    ),
    (#"{"__metadata__":{"a":1}}"#, "__metadata__.a is the number 1; it must be a string", 22),
    (
      #"{"x":{"file":"y.npy","dtype":"F32"}}"#,
      "cannot open DIR/y.npy: there is no such file", nil
    ),
    (#"{"":{"file":"x.npy","dtype":"F32"}}"#, "a tensor has no name", nil),
  ]

  @Test(arguments: faults)
  func `each fault of a manifest is named and located`(
    _ fault: (manifest: String, message: String, column: Int?)
  ) throws {
    let error = try #require(try failure(fault.manifest))
    #expect(error.message == fault.message)
    #expect(error.location?.column == fault.column)
    #expect(error.category == .tensor || error.category == .io)
  }

  @Test(arguments: [
    "../x.npy", "/etc/passwd", "a/../../x.npy", "a//x.npy", "", "x.npy/", "\\u0000",
  ])
  func `a manifest does not lead out of its folder`(_ file: String) throws {
    let error = try failure(#"{"x":{"file":"\#(file)","dtype":"F32"}}"#)
    #expect(error?.category == .tensor)
    #expect(error?.message.hasSuffix("which is not a path inside the folder") == true)
    #expect(error?.location?.column == 14)
  }

  @Test func `a link does not lead out of the folder either`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("in"), withIntermediateDirectories: true)
    try folder.write(GoldenTensors.bytes("shape_7.npy"), "x.npy")
    try FileManager.default.createSymbolicLink(
      atPath: folder("in/x.npy"), withDestinationPath: folder("x.npy"))
    try folder.write(#"{"x":{"file":"x.npy","dtype":"F32"}}"#, "in/manifest.json")
    let error = tensorFailure { _ = try TensorFolder.read(folder("in")) }
    #expect(
      error?.message == "\"x\" names \"x.npy\", a link that leads out of \(folder("in"))")
  }

  @Test func `a folder without a manifest says what one looks like`() throws {
    let folder = try TemporaryFolder()
    let error = tensorFailure { _ = try TensorSet.read(folder.path) }
    #expect(error?.category == .io)
    #expect(
      error?.message
        == "the folder \(folder.path) has no manifest.json, which maps names to .npy files")
  }
}
