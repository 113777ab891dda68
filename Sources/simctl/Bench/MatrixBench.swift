import Dispatch
import NPUKernels
import NPUSim

/// The speed of the block MAC: alone on one and two threads, and as a whole gemm program.
struct MatrixBench {
  private static let size = 1024

  let samples: Int
  let machine: MachineConfiguration
  let peaks: PeakBench

  /// A square product with each accumulator.
  func measure() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for mode in AccumulatorMode.allCases {
      for threads in [1, 2] {
        lines.append(
          line(
            "product \(Self.size)^3, accumulator \(mode.rawValue), threads \(threads)",
            product(mode, threads: threads), threads: threads))
      }
    }
    for mode in AccumulatorMode.allCases {
      for threads in [1, 2] {
        lines.append(
          line(
            "gemm \(Self.size)^3 executed, accumulator \(mode.rawValue), threads \(threads)",
            try program(mode, threads: threads), threads: threads))
      }
    }
    return lines
  }

  private func line(_ name: String, _ rate: Double, threads: Int) -> Measurement {
    Measurement(
      name: name, part: "matrix", value: rate / 1e9, unit: "GMAC/s",
      peak: peaks.macs > 0 ? peaks.macs * Double(threads) : nil)
  }

  /// The product alone, its rows in as many bands as threads.
  private func product(_ mode: AccumulatorMode, threads: Int) -> Double {
    let size = Self.size
    let input = SeededInput(seed: 2, name: "bench")
    let a = (0..<size * size).map { Int8(truncatingIfNeeded: input.word($0)) }
    let b = (0..<size * size).map { Int8(truncatingIfNeeded: input.word($0 + size * size)) }
    let scales = [UInt8](repeating: 127, count: size * size / 32)
    // BF16 words, or Floats.
    var sums = [UInt32](repeating: 0, count: mode == .bf16 ? size * size / 2 : size * size)
    return a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        scales.withUnsafeBufferPointer { scales in
          sums.withUnsafeMutableBytes { sums in
            guard let a = a.baseAddress, let b = b.baseAddress, let scales = scales.baseAddress,
              let sums = sums.baseAddress
            else { return 0 }
            let whole = BlockProduct(
              a: a, aStride: size, aScale: scales, aScaleStride: size / 32, b: b, bStride: size,
              bScale: scales, bScaleStride: size, m: size, n: size, k: size, startsAtZero: true)
            let bytes = whole.workBytes() + BlockProduct.workAlignment
            let work = UnsafeMutableRawPointer.allocate(
              byteCount: threads * bytes, alignment: BlockProduct.workAlignment)
            defer { work.deallocate() }
            nonisolated(unsafe) let shared = (whole: whole, sums: sums, work: work)
            let stride = bytes / BlockProduct.workAlignment * BlockProduct.workAlignment
            let rows = size / threads
            return Stopwatch.rate(
              amount: Double(size * size * size), samples: samples,
              clock: threads == 1 ? .thread : .wall
            ) {
              DispatchQueue.concurrentPerform(iterations: threads) { band in
                var part = shared.whole
                part.a += band * rows * size
                part.aScale += band * rows * size / 32
                part.m = rows
                let work = shared.work + band * stride
                let first = band * rows * size
                if mode == .bf16 {
                  let words = shared.sums.assumingMemoryBound(to: UInt16.self)
                  part.add(toBF16: words + first, stride: size, work: work)
                } else {
                  let floats = shared.sums.assumingMemoryBound(to: Float.self)
                  part.add(to: floats + first, stride: size, mode: mode, work: work)
                }
              }
            }
          }
        }
      }
    }
  }

  /// A whole program of a core for each thread: loads, feeds, products and drains, its values
  /// executed.
  private func program(_ mode: AccumulatorMode, threads: Int) throws(NPUError) -> Double {
    let size = Self.size
    var machine = machine
    machine.matrix.accumulator = mode
    machine.cores = 1
    let shape = ["m", "n", "k"].reduce(into: [:]) { $0[$1] = "\(size)" }
    let arguments = try KernelArguments(
      kernel: Gemm.name, options: Gemm.options, values: shape)
    // Several cores share HBM and would choose a schedule of another kind.
    let schedule = try Gemm(arguments, machine: machine, schedule: nil).scheduleFields.text
    machine.cores = threads
    let program = try Gemm(arguments, machine: machine, schedule: schedule).program()
    let state = MachineState(program)
    let input = SeededInput(seed: 3, name: "bench")
    for (id, buffer) in program.buffers.enumerated() where buffer.role == .input {
      let payload = (0..<buffer.payloadExtent).map { UInt8(truncatingIfNeeded: input.word($0)) }
      let scales = [UInt8](repeating: 127, count: buffer.scaleExtent)
      let written = payload.withUnsafeBytes { bytes in
        Result { () throws(NPUError) in
          try state.writeTensor(UInt32(id), payload: bytes, scales: scales)
        }
      }
      try written.get()
    }
    let options = FunctionalOptions(runsCoresConcurrently: threads > 1)
    return try Stopwatch.rate(
      amount: Double(size * size * size), samples: samples, clock: threads == 1 ? .thread : .wall
    ) {
      () throws(NPUError) in
      _ = try FunctionalEngine.run(program, state: state, options: options)
    }
  }
}
