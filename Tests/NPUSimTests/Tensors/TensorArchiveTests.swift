import Foundation
import NPUSim
import Testing

/// Files, streams and folders judged from their headers.
@Suite struct TensorArchiveTests {
  /// The bytes of a safetensors file with this header.
  private func file(_ header: String, data: [UInt8]) -> [UInt8] {
    let text = Array(header.utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + data
  }

  private func stream(_ path: String) throws -> TensorArchive {
    // Any path can be read as a stream: once and in order.
    try TensorArchive(stream: ByteStream(path))
  }

  /// Tensors of types that nothing here reads around one that can be.
  private var foreign: [UInt8] {
    file(
      """
      {"seen":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},\
      "packed":{"dtype":"F4","shape":[2,3],"data_offsets":[3,6]},\
      "x":{"dtype":"BF16","shape":[2],"data_offsets":[6,10]},\
      "wave":{"dtype":"C64","shape":[1],"data_offsets":[10,18]},\
      "new":{"dtype":"F2_E1M0","shape":[7],"data_offsets":[18,20]}}
      """, data: (0..<20).map { UInt8($0) })
  }

  @Test func `a type that nobody here reads matters only to who asks for it`() throws {
    let folder = try TemporaryFolder()
    try folder.write(foreign, "a.safetensors")
    for archive in [
      try TensorArchive(folder("a.safetensors")), try stream(folder("a.safetensors")),
    ] {
      #expect(archive.entries.map(\.name) == ["seen", "packed", "x", "wave", "new"])
      #expect(archive.entries.map(\.type) == ["BOOL", "F4", "BF16", "C64", "F2_E1M0"])
      #expect(archive["packed"]?.shape == [2, 3])
      let tensors = try archive.read([.init("x", .bf16)])
      #expect(tensors[.init("x", .bf16)]?.storage == [6, 7, 8, 9])
      let error = tensorFailure { _ = try archive.read([.init("wave", .f32)]) }
      #expect(
        error?.message
          == "safetensors header: tensor \"wave\" has dtype \"C64\", which is not supported")
    }
    #expect(
      tensorFailure { _ = try TensorSet.read(folder("a.safetensors")) }?.message
        == "safetensors header: tensor \"seen\" has dtype \"BOOL\", which is not supported")
  }

  @Test func `the size of a foreign type is judged where it is known`() throws {
    let folder = try TemporaryFolder()
    for (dtype, shape, bytes, isRight) in [
      ("BOOL", "[3]", 3, true), ("BOOL", "[3]", 4, false), ("F4", "[3]", 2, true),
      ("F4", "[3]", 3, false), ("F6_E2M3", "[4]", 3, true), ("C64", "[2]", 16, true),
      ("U16", "[2]", 2, false), ("what", "[2]", 5, true),
    ] {
      let header = #"{"a":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[0,\#(bytes)]}}"#
      try folder.write(file(header, data: [UInt8](repeating: 0, count: bytes)), "a.safetensors")
      let error = tensorFailure { _ = try TensorArchive(folder("a.safetensors")) }
      #expect((error == nil) == isRight, "\(dtype) \(shape) \(bytes)")
    }
  }

  /// Nobody could hold it in memory, and nobody has to.
  @Test func `of a file of 2^40 bytes only the tensor that is wanted is read`() throws {
    let folder = try TemporaryFolder()
    let size = 1 << 40
    let header =
      #"{"huge":{"dtype":"F32","shape":[\#(size / 4)],"data_offsets":[0,\#(size)]},"#
      + #""x":{"dtype":"I8","shape":[2],"data_offsets":[\#(size),\#(size + 2)]}}"#
    try folder.write(file(header, data: []), "a.safetensors")
    let handle = try FileHandle(forUpdating: URL(filePath: folder("a.safetensors")))
    let start = try handle.seekToEnd()
    try handle.truncate(atOffset: start + UInt64(size))
    try handle.seekToEnd()
    try handle.write(contentsOf: [5, 6])
    try handle.close()
    let archive = try TensorArchive(folder("a.safetensors"))
    #expect(archive["huge"]?.shape == [size / 4])
    #expect(try archive.read([.init("x", .i8)])[.init("x", .i8)]?.storage == [5, 6])
  }

  @Test func `a stream is read once, in order, to its end`() throws {
    let folder = try TemporaryFolder()
    try folder.write(foreign, "a")
    let once = try stream(folder("a"))
    _ = try once.read([.init("x", .bf16)])
    #expect(tensorFailure { _ = try once.read([.init("x", .bf16)]) }?.category == .internal)
    try folder.write(Array(foreign.dropLast()), "short")
    let short = try stream(folder("short"))
    let error = tensorFailure { _ = try short.read([.init("x", .bf16)]) }
    #expect(error?.message.contains("short ends at byte") == true, "\(error?.message ?? "")")
    try folder.write(foreign + [0], "long")
    let long = try stream(folder("long"))
    #expect(
      tensorFailure { _ = try long.read([]) }?.message.contains("belong to no tensor") == true)
  }

  @Test func `what is taken out of a stream can be read in parts`() throws {
    let folder = try TemporaryFolder()
    try folder.write(GoldenTensors.bytes("reference.safetensors"), "a")
    let whole = try TensorArchive(folder("a"))
    let taken = try stream(folder("a")).takingFromStream { $0.name.hasPrefix("t.F") }
    for entry in whole.entries {
      guard let dtype = entry.candidates.first else { continue }
      let selection = TensorArchive.Selection(entry.name, dtype)
      if entry.name.hasPrefix("t.F") {
        #expect(try taken.read([selection]) == whole.read([selection]))
      } else {
        #expect(tensorFailure { _ = try taken.read([selection]) } != nil)
      }
    }
    #expect(try whole.takingFromStream { _ in false }.readAll() == whole.readAll())
  }

  @Test func `a named pipe is a stream`() throws {
    let folder = try TemporaryFolder()
    try folder.write(GoldenTensors.bytes("padded.safetensors"), "a")
    #expect(mkfifo(folder("pipe"), 0o600) == 0)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "cat \(folder("a")) > \(folder("pipe"))"]
    try process.run()
    #expect(try TensorSet.read(folder("pipe")) == TensorSet.read(folder("a")))
    process.waitUntilExit()
  }

  @Test func `file, stream, folder and memory hold the same tensors`() throws {
    let folder = try TemporaryFolder()
    try Fuzzing.run("archives", full: 200) { seed, random in
      var set = TensorSet()
      for index in 0..<random.below(6) {
        let dtype = DType.allCases[random.below(DType.allCases.count)]
        let shape = (0..<random.below(4)).map { _ in random.below(5) }
        let count = try Tensor.byteCount(dtype, shape)
        let bytes = (0..<count).map { _ in UInt8(random.below(256)) }
        try set.insert(Tensor(dtype: dtype, shape: shape, storage: bytes), named: "t\(index)")
      }
      try set.write(folder("a.safetensors"), force: true)
      try set.write(folder("dir"), force: true)
      let wanted = set.names.filter { _ in random.below(2) == 0 }
      let selections = Set(wanted.map { TensorArchive.Selection($0, set[$0]?.dtype ?? .i8) })
      for archive in [
        TensorArchive(set), try TensorArchive(folder("a.safetensors")),
        try stream(folder("a.safetensors")), try TensorArchive(folder("dir")),
      ] {
        #expect(Set(archive.entries.map(\.name)) == Set(set.names), "seed \(seed)")
        let read = try archive.read(selections)
        for selection in selections {
          #expect(read[selection] == set[selection.name], "seed \(seed)")
        }
      }
    }
  }

  @Test func `of a folder only what is wanted must be in order`() throws {
    let folder = try TemporaryFolder()
    for name in ["complex", "fortran", "structured", "big_endian"] {
      try folder.write(GoldenTensors.bytes("\(name).npy"), "\(name).npy")
    }
    try folder.write(GoldenTensors.bytes("F32.npy"), "x.npy")
    try folder.write(GoldenTensors.bytes("F8_E5M2.npy"), "codes.npy")
    let archive = try TensorArchive(folder.path)
    #expect(archive["complex"]?.type == "<c8" && archive["complex"]?.shape == [2, 3])
    #expect(archive["codes"]?.candidates == [.e4m3fn, .e5m2, .e8m0])
    #expect(archive["x"]?.fault == nil)
    let read = try archive.read([.init("x", .f32), .init("codes", .e5m2)])
    #expect(try read[.init("x", .f32)] == GoldenTensors.described("t.F32").tensor)
    #expect(try read[.init("codes", .e5m2)] == GoldenTensors.described("t.F8_E5M2").tensor)
    for name in ["complex", "fortran", "structured", "big_endian"] {
      #expect(tensorFailure { _ = try archive.read([.init(name, .i32)]) } != nil, "\(name)")
    }
  }

  @Test func `a manifest may name types and files that nobody wants`() throws {
    let folder = try TemporaryFolder()
    try folder.write(GoldenTensors.bytes("F32.npy"), "x.npy")
    try folder.write(
      """
      {"x": {"file": "x.npy", "dtype": "F32"}, "b": {"file": "b.npy", "dtype": "BOOL"},
       "c": {"file": "none.npy", "dtype": "F32", "shape": [2]}}
      """, "manifest.json")
    let archive = try TensorArchive(folder.path)
    #expect(archive.entries.map(\.type) == ["F32", "BOOL", "F32"])
    #expect(try archive.read([.init("x", .f32)]).count == 1)
    #expect(tensorFailure { _ = try archive.read([.init("b", .i8)]) }?.hint != nil)
    #expect(tensorFailure { _ = try archive.read([.init("c", .f32)]) }?.category == .io)
  }
}
