extension RollComponent {
  /// What one pass of the outermost loop around it adds.
  private var outerStep: Int { steps.last ?? 0 }

  /// Counts passes from one pass earlier on, in which it is not used; `false` where a flag's first pass
  /// would move.
  mutating func startsEarlier() -> Bool {
    if flagLevel > 0 && flagLevel == steps.count { return false }
    if modulus > 0 {
      base = wrapped(base - outerStep)
    } else {
      base -= outerStep
    }
    return true
  }

  private func wrapped(_ value: Int) -> Int {
    let rest = (value - offset) % modulus
    return (rest < 0 ? rest + modulus : rest) + offset
  }

  /// The same number for a loop with one more pass, in which it is as in `edge`, outside of the loop;
  /// `nil` where no rule covers that.
  ///
  /// A node that is there in one pass only (`isSingle`) has no step yet: the new pass gives it one.
  func extended(
    to edge: RollComponent, passes: Int, isBefore: Bool, isSingle: Bool
  ) -> RollComponent? {
    guard edge.steps.count + 1 == steps.count, Array(steps.dropLast()) == edge.steps,
      kind == edge.kind
    else { return nil }
    let isPlainInside = edge.steps.allSatisfy { $0 == 0 }
    if kind == .flag { return flag(edge, isBefore: isBefore) }
    if isSingle, isPlainInside, edge.base != base, let result = started(edge, passes, isBefore) {
      return result
    }
    var result = self
    if limit != edge.limit {
      guard edge.limit == 0, isPlainInside else { return nil }
      let rest = isBefore ? base - outerStep : base + passes * outerStep
      guard min(limit, rest) == edge.base else { return nil }
      if isBefore { result.base = rest }
      return result
    }
    if modulus > 0 {
      let isSame = edge.modulus == modulus && edge.offset == offset
      guard isSame || edge.modulus == 0 && isPlainInside else { return nil }
      let value = wrapped(isBefore ? base - outerStep : base + passes * outerStep)
      guard value == edge.base else { return nil }
      if isBefore { result.base = value }
      return result
    }
    guard edge.modulus == 0 else { return nil }
    let expected = isBefore ? base - outerStep : base + passes * outerStep
    result.spread += max(0, outerStep)
    if expected == edge.base {
      if isBefore { result.base = expected }
      return result
    }
    return turning(edge, passes, isBefore) ?? shrinking(edge, passes, isBefore, isPlainInside)
  }

  private func flag(_ edge: RollComponent, isBefore: Bool) -> RollComponent? {
    guard edge.flagLevel == 0 || edge.flagLevel == flagLevel else { return nil }
    if flagLevel == steps.count {
      // It differs in the first pass of this loop already.
      return !isBefore && edge.flagLevel == 0 && edge.base == 1 - base ? self : nil
    }
    guard edge.flagLevel == flagLevel else { return nil }
    if edge.base == base { return self }
    guard isBefore, flagLevel == 0 else { return nil }
    var result = self
    result.base = edge.base
    result.flagLevel = steps.count
    return result
  }

  /// The number with the step that leads from its only pass to the new one.
  private func started(_ edge: RollComponent, _ passes: Int, _ isBefore: Bool) -> RollComponent? {
    guard outerStep == 0, modulus == 0, limit == 0, edge.modulus == 0, edge.limit == 0 else {
      return nil
    }
    var result = self
    var step = isBefore ? base - edge.base : edge.base - base
    if kind == .cyclic && slots > 0 {
      guard base >= 0, base < slots, edge.base >= 0, edge.base < slots else { return nil }
      step = (step + slots) % slots
      result.modulus = slots
    }
    result.steps[result.steps.count - 1] = step
    result.base = isBefore ? edge.base : base - step * (passes - 1)
    if result.modulus > 0 { result.base = result.wrapped(result.base) }
    return result
  }

  /// A slot that goes round its ring in the new pass.
  private func turning(_ edge: RollComponent, _ passes: Int, _ isBefore: Bool) -> RollComponent? {
    guard kind == .cyclic, slots > 0, base >= 0, steps.allSatisfy({ $0 >= 0 }),
      base + (passes - 1) * outerStep + spread < slots
    else { return nil }
    var result = self
    result.modulus = slots
    let value = result.wrapped(isBefore ? base - outerStep : base + passes * outerStep)
    guard value == edge.base, value + edge.spread < slots else { return nil }
    if isBefore { result.base = value }
    return result
  }

  /// An extent that is smaller in the new, last pass.
  private func shrinking(
    _ edge: RollComponent, _ passes: Int, _ isBefore: Bool, _ isPlainInside: Bool
  ) -> RollComponent? {
    guard kind == .extent, !isBefore, isPlainInside, outerStep == 0, limit == 0, edge.base > 0,
      edge.base < base
    else { return nil }
    var result = self
    result.limit = base
    result.base = passes * base + edge.base
    result.steps[result.steps.count - 1] = -base
    return result
  }
}
