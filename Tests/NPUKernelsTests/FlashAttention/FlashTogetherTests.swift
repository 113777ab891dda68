import NPUKernels
import NPUSim
import Testing

/// Rows that share operands are what each of them is alone: words, figures and what reached them.
@Suite struct FlashTogetherTests {
  @Test(arguments: [
    KernelCase("flash_attention", ["q": "20", "kv": "100", "heads": "4", "kv-heads": "2"]),
    KernelCase("flash_attention", ["q": "33", "kv": "130", "causal": "true", "window": "40"]),
    KernelCase("flash_attention", ["q": "9", "kv": "70", "kv-format": "mxint8", "causal": "true"]),
    KernelCase(
      "flash_attention",
      ["q": "1", "kv": "300", "heads": "8", "kv-heads": "2", "splits": "2", "kv-format": "e4m3fn"]),
    KernelCase(
      "flash_attention",
      ["q": "1", "kv": "200", "heads": "4", "kv-heads": "1", "page": "32", "kv-format": "mxint8"]),
    KernelCase("flash_attention", ["q": "18", "kv": "50", "rung": "unfused", "causal": "true"]),
    KernelCase("flash_attention", ["q": "18", "kv": "50", "rung": "scalar"]),
  ])
  func `rows evaluated together are what each is alone`(shape: KernelCase) throws {
    let machine = try Presets.named("edge").configuration
    let kernel = try shape.make(on: machine)
    let reference = try kernel.reference(
      SeededTensors.inputs(kernel, seed: 0), settings: DatapathSettings(machine))
    let units = Array(0..<kernel.referenceUnits)
    let together = reference.evaluate(units: units[...])
    #expect(together.count == units.count)
    for (unit, found) in zip(units, together) {
      let alone = reference.evaluate(unit: unit)
      #expect(found.reached == alone.reached)
      #expect(found.words.map(\.bytes) == alone.words.map(\.bytes), "\(shape), row \(unit)")
      #expect(found.words.map(\.start) == alone.words.map(\.start))
      #expect(found.errors.map(\.figures) == alone.errors.map(\.figures), "\(shape), row \(unit)")
    }
  }
}
