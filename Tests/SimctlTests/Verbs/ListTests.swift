import NPUKernels
import NPUSim
import Testing

@Suite struct ListTests {
  @Test func `everything is listed with one line each`() throws {
    let text = try SimctlProcess.run("list").text
    for kernel in Catalog.kernels { #expect(text.contains("\n  \(kernel.name) ")) }
    for name in Presets.names { #expect(text.contains("\n  \(name) ")) }
    for model in Model.all { #expect(text.contains("\n  \(model.name) ")) }
    #expect(text.contains("edge (default)"))
  }

  @Test func `the JSON of the list has the same names`() throws {
    let result = try SimctlProcess.run("list --json")
    let json = try JSONValue.parse(result.output, file: "list")
    func names(_ part: String) -> [String] {
      json[part]?.elements.compactMap {
        if case .string(let name)? = $0["name"]?.content { name } else { nil }
      } ?? []
    }
    #expect(names("kernels") == Catalog.kernels.map { $0.name })
    #expect(names("machines") == Presets.names)
    #expect(names("models") == Model.all.map(\.name))
  }

  @Test func `the shapes of the models are those that were published`() throws {
    // Parameters of the embedding, the layers and the head, against the numbers of the model cards.
    let expected: [String: Double] = [
      "llama-2-7b": 6.74e9, "llama-3-8b": 8.03e9, "llama-3.2-1b": 1.24e9, "tinyllama-1.1b": 1.10e9,
    ]
    for model in Model.all {
      let attention =
        2 * model.hidden * model.heads * model.headDim
        + 2 * model.hidden * model.kvHeads * model.headDim
      let layer = attention + 3 * model.hidden * model.ffn + 2 * model.hidden
      let isTied = model.name == "llama-3.2-1b"
      let total =
        model.layers * layer + model.hidden
        + (isTied ? 1 : 2) * model.vocabulary * model.hidden
      let published = try #require(expected[model.name])
      #expect(abs(Double(total) / published - 1) < 0.01, "\(model.name): \(total)")
      #expect(model.heads % model.kvHeads == 0)
    }
    #expect(throws: NPUError.self) { try Model.named("llama-2-7") }
  }
}
