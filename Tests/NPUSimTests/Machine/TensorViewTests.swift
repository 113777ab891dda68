import NPUSim
import Testing

@Suite struct TensorViewTests {
  private static let formats: [(ElementFormat, BlockAxis)] = [
    (.bf16, .alongColumns), (.f32, .alongColumns), (.e4m3fn, .alongColumns),
    (.mxint8, .alongColumns), (.mxint8, .alongRows),
  ]

  /// What a view must hold, or `nil` where its blocks are not blocks of the tensor.
  private static func expected(
    _ pick: RandomViews.Pick, _ form: TensorForm, _ words: TensorWords
  ) -> TensorWords? {
    let size = form.format.bytes
    var result = TensorWords(
      payload: pick.elements.flatMap { words.payload[$0 * size..<($0 + 1) * size] })
    guard form.format == .mxint8 else { return result }
    let shape = pick.view.shape
    guard shape.count > (form.axis == .alongColumns ? 0 : 1) else { return nil }
    // A block of the view is one of the tensor: the same 32 elements, or those up to both ends.
    var blocks: [Int: Set<Int>] = [:]
    for (place, element) in pick.elements.enumerated() {
      blocks[RandomViews.scale(of: place, shape: shape, axis: form.axis), default: []]
        .insert(element)
    }
    var whole: [Int: Set<Int>] = [:]
    for element in 0..<form.elements {
      whole[RandomViews.scale(of: element, shape: form.shape, axis: form.axis), default: []]
        .insert(element)
    }
    for block in blocks.keys.sorted() {
      guard let own = blocks[block], let first = own.first else { return nil }
      let scale = RandomViews.scale(of: first, shape: form.shape, axis: form.axis)
      guard whole[scale] == own else { return nil }
      result.scales.append(words.scales[scale])
    }
    return result
  }

  @Test func `a view holds the elements that its windows, splits and permutations name`() throws {
    let count = TextFixture.isFull ? 4000 : 200
    var (read, refused) = (0, 0)
    for seed in 0..<UInt64(count) {
      var random = RandomViews(seed: seed)
      let (format, axis) = Self.formats[random.below(Self.formats.count)]
      let form = try random.form(format, axis: axis)
      let pick = try random.view(of: form)
      let words = random.words(form)
      let memory = TensorMemory()
      try memory.declare("t", form)
      try memory.write(words, to: memory.whole("t"))
      let binding = TensorBinding("t", pick.view)
      #expect(pick.view.elements == pick.elements.count)
      guard let expected = Self.expected(pick, form, words) else {
        // What is no view by its blocks is refused, never read wrongly.
        #expect(throws: NPUError.self, "seed \(seed): \(pick.log)") { try memory.read(binding) }
        refused += 1
        continue
      }
      guard let found = try? memory.read(binding) else {
        // Rows of which the elements lie apart, and blocks that only chance keeps whole.
        let isLine = form.format != .mxint8
        #expect(
          !isLine || (pick.view.dimensions.last?.step ?? 1) != 1, "seed \(seed): \(pick.log)")
        refused += 1
        continue
      }
      #expect(found == expected, "seed \(seed): \(pick.log)")
      read += 1
      // Written back over zeros, the view's elements are there and no other byte is.
      let other = TensorMemory()
      try other.declare("t", form)
      try other.write(found, to: binding)
      let back = try other.read(other.whole("t"))
      let kept = Set(pick.elements)
      let size = form.format.bytes
      for element in 0..<form.elements {
        let bytes = element * size..<(element + 1) * size
        let own =
          kept.contains(element) ? Array(words.payload[bytes]) : .init(repeating: 0, count: size)
        #expect(Array(back.payload[bytes]) == own, "seed \(seed): \(pick.log), element \(element)")
      }
      #expect(back.isComplete == (kept.count == form.elements))
    }
    #expect(read > count / 2 && refused > count / 40)
  }

  @Test func `a view that is none of the tensor is refused with what there is`() throws {
    let form = try TensorForm(.bf16, [6, 8])
    for (message, body) in [
      (
        "found elements 4..<9 of dimension 1 of the shape [6, 8], needed some of 0..<8",
        { try form.whole.window(-1, 4..<9) }
      ),
      ("the shape [6, 8] has no dimension 2", { try form.whole.window(2, 0..<1) }),
      (
        "dimension 0 of the shape [6, 8] cannot be taken apart into [4, 2]: the product must be 6",
        { try form.whole.split(0, into: [4, 2]) }
      ),
      (
        "found the order [0, 0] of 2 dimensions, needed each of [0, 1] once",
        { try form.whole.permuted([0, 0]) }
      ),
    ] as [(String, () throws -> TensorView)] {
      let error = #expect(throws: NPUError.self) { _ = try body() }
      #expect(error?.message == message)
    }
    let turned = TensorBinding("t", try form.whole.permuted([1, 0]))
    let memory = TensorMemory()
    try memory.declare("t", form)
    let error = #expect(throws: NPUError.self) { _ = try memory.read(turned) }
    #expect(
      error?.message
        == "t: found a view of shape [8, 6] of bf16 [6, 8], needed 1 × 8 × 6 elements: the 6 elements "
        + "of a row do not lie one beside the other")
    let blocks = try TensorForm(.mxint8, [2, 64])
    try memory.declare("b", blocks)
    let part = TensorBinding("b", try blocks.whole.window(1, 16..<48))
    #expect(throws: NPUError.self) { _ = try memory.read(part) }
    #expect(throws: NPUError.self) { _ = try TensorForm(.bf16, [3, 0]) }
    #expect(throws: NPUError.self) { _ = try TensorForm(.mxint8, [32], axis: .alongRows) }
  }

  @Test func `a memory knows its tensors, their forms and how many bytes there may be`() throws {
    let memory = TensorMemory(limit: MemoryLimit(bytes: 1000))
    let form = try TensorForm(.f32, [10, 10])
    try memory.declare("cache", form)
    try memory.declare("cash", form)
    try memory.declare("cachet", form)
    let twice = #expect(throws: NPUError.self) { try memory.declare("cash", form) }
    #expect(twice?.message == "found 'cash' declared twice, as f32 [10, 10] and as f32 [10, 10]")
    let missing = #expect(throws: NPUError.self) { _ = try memory.form(of: "cahce") }
    #expect(missing?.message == "found no tensor 'cahce'" && missing?.hint != nil)
    let other = TensorBinding("cash", try TensorForm(.f32, [100]).whole)
    #expect(throws: NPUError.self) { _ = try memory.read(other) }
    // Declared tensors take nothing; those that are used do.
    #expect(try memory.read(memory.whole("cache")).isComplete == false)
    #expect(try memory.read(memory.whole("cash")).payload == .init(repeating: 0, count: 400))
    let full = #expect(throws: NPUError.self) { _ = try memory.read(memory.whole("cachet")) }
    #expect(full?.category == .limit)
    memory.forget("cash")
    #expect(try memory.read(memory.whole("cachet")).payload.count == 400)
    #expect(memory.names == ["cache", "cachet"])
    #expect(throws: NPUError.self) {
      try memory.write(TensorWords(payload: [1]), to: memory.whole("cache"))
    }
  }
}
