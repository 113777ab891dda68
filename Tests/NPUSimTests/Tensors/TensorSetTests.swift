import NPUSim
import Testing

@Suite struct TensorSetTests {
  private func sample() throws -> TensorSet {
    var set = TensorSet()
    set.origin = "in.safetensors"
    try set.insert(Tensor(zeros: .bf16, shape: [4, 8]), named: "query")
    try set.insert(Tensor(zeros: .i32, shape: [3]), named: "slots")
    return set
  }

  @Test func `tensors keep their order and are found by name`() throws {
    let set = try sample()
    #expect(set.names == ["query", "slots"])
    #expect(set.count == 2)
    #expect(set["slots"]?.shape == [3])
    #expect(set["other"] == nil)
    #expect(try set.tensor(named: "query", dtype: .bf16, shape: [4, 8]).elementCount == 32)
  }

  @Test func `a tensor of the wrong name, type or shape is named with what is needed`() throws {
    let set = try sample()
    let name = tensorFailure { _ = try set.tensor(named: "quary") }
    #expect(name?.category == .tensor)
    #expect(name?.message == "there is no tensor \"quary\" in in.safetensors")
    #expect(name?.hint == "did you mean \"query\"?")
    #expect(
      tensorFailure { _ = try set.tensor(named: "query", dtype: .f32) }?.message
        == "tensor \"query\" in in.safetensors is BF16; F32 is needed")
    #expect(
      tensorFailure { _ = try set.tensor(named: "query", shape: [8, 4]) }?.message
        == "tensor \"query\" in in.safetensors has shape [4, 8]; [8, 4] is needed")
  }

  @Test func `names must be there, free and not reserved`() throws {
    var set = try sample()
    let tensor = try Tensor(zeros: .i8, shape: [1])
    #expect(
      tensorFailure { try set.insert(tensor, named: "query") }?.message
        == "there are two tensors named \"query\" in in.safetensors")
    #expect(tensorFailure { try set.insert(tensor, named: "") }?.message == "a tensor has no name")
    #expect(
      tensorFailure { try set.insert(tensor, named: "__metadata__") }?.message
        == "\"__metadata__\" names the metadata of a file and cannot name a tensor")
  }

  @Test func `an MXINT8 tensor is a pair with its axis in the metadata`() throws {
    var set = try sample()
    let last = try MXTensor(
      payload: Tensor(zeros: .i8, shape: [2, 40]), scale: Tensor(zeros: .e8m0, shape: [2, 2]))
    let first = try MXTensor(
      payload: Tensor(zeros: .i8, shape: [40, 2]), scale: Tensor(zeros: .e8m0, shape: [2, 2]),
      axis: 0)
    try set.insert(last, named: "k")
    try set.insert(first, named: "v")
    #expect(set.names.suffix(4) == ["k", "k.scale", "v", "v.scale"])
    #expect(set.metadata == ["v.axis": "-2"])
    #expect(set.isMX("v") && !set.isMX("query") && !set.isMX("none"))
    #expect(try set.mxTensor(named: "k") == last)
    #expect(try set.mxTensor(named: "v") == first)
    set.metadata["v.axis"] = "1"
    let error = tensorFailure { _ = try set.mxTensor(named: "v") }
    #expect(error?.message.hasPrefix("tensor \"v\" in in.safetensors: the scales have") == true)
    set.metadata["v.axis"] = "rows"
    #expect(
      tensorFailure { _ = try set.mxTensor(named: "v") }?.message
        == "the metadata \"v.axis\" in in.safetensors is \"rows\", not an integer")
    let before = set
    #expect(tensorFailure { try set.insert(first, named: "v") } != nil)
    #expect(set == before)
  }

  @Test func `the path decides what is written and read`() throws {
    let folder = try TemporaryFolder()
    var set = try sample()
    set.metadata = ["note": "ü", "slots.axis": "none"]
    try set.write(folder("out"), force: false)
    try set.write(folder("slash/"), force: false)
    try set.write(folder("out.safetensors"), force: false)
    #expect(folder.names == ["out", "out.safetensors", "slash"])
    #expect(try TensorSet.read(folder("out/")) == set)
    #expect(try TensorSet.read(folder("slash")) == set)
    let back = try TensorSet.read(folder("out.safetensors"))
    #expect(back.names == ["slots", "query"])
    #expect(back.metadata == set.metadata)
    #expect(back["query"] == set["query"])
    #expect(back.origin == folder("out.safetensors"))
    for name in ["x.npy", "x.npz"] {
      #expect(
        tensorFailure { try set.write(folder(name), force: false) }?.message
          == "\(folder(name)) cannot hold several named tensors")
      #expect(
        tensorFailure { _ = try TensorSet.read(folder(name)) }?.message
          == "\(folder(name)) has no tensor names")
    }
    #expect(
      tensorFailure { _ = try TensorSet.read(folder("none")) }?.message
        == "cannot open \(folder("none")): there is no such file")
  }
}
