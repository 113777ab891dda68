// swift-format-ignore-file
// Generated from Configs/ideal.json by Configs/embed.sh. Do not edit.

extension EmbeddedPresets {
  static let ideal = #"""
{
  "name": "ideal",
  "summary": "Infinite rates, depths and capacities and zero latencies: what the dependences alone cost",
  "clock_ghz": {"value": 1.0, "provenance": "assumed", "source": "cycles are what matters; 1 GHz makes them nanoseconds"},
  "cores": {"value": 1, "provenance": "assumed", "source": "one core"},
  "core": {
    "barrier": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
  },
  "group": {
    "matrix_cores": {"value": 0, "provenance": "assumed", "source": "every core has every queue"},
    "vector_cores": {"value": 0, "provenance": "assumed", "source": "every core has every queue"}
  },
  "matrix": {
    "kind": {"value": "cube", "provenance": "assumed", "source": "a cube, as in DaVinci cores"},
    "m0": {"value": 16, "provenance": "assumed", "source": "part of the results, not of the time; as ascend-910b-like"},
    "k0": {"value": 32, "provenance": "assumed", "source": "part of the results, not of the time; as ascend-910b-like"},
    "n0": {"value": 16, "provenance": "assumed", "source": "part of the results, not of the time; as ascend-910b-like"},
    "accumulator": {"value": "bf16", "provenance": "assumed", "source": "BF16 accumulation after each block; fp32 is the other choice"},
    "cycles_per_tile": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
    "overhead": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
    "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
    "forward_tiles": {"value": 1, "provenance": "assumed", "source": "always forwards"}
  },
  "vector": {
    "lanes": {"value": 64, "provenance": "assumed", "source": "part of the results, not of the time; as ascend-910b-like"},
    "minimum_occupancy": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
    "slopes": {
      "add": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sub": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "mul": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "div": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "max": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "select": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "abs": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "add_scalar": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "mul_scalar": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "duplicate": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "cast": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "copy": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "exp": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "exp2": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "log": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sqrt": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "reciprocal": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "rsqrt": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sin": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "cos": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sigmoid": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "silu": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "fused_multiply_add": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "row_max": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "row_sum": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "row_broadcast": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "gather": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "transpose": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "encode_mx": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "encode_fp8": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "exp2_fused": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "requantise": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "latencies": {
      "add": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sub": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "mul": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "div": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "max": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "select": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "abs": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "add_scalar": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "mul_scalar": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "duplicate": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "cast": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "copy": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "exp": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "exp2": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "log": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sqrt": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "reciprocal": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "rsqrt": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sin": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "cos": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "sigmoid": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "silu": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "fused_multiply_add": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "row_max": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "row_sum": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "row_broadcast": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "gather": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "transpose": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "encode_mx": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "encode_fp8": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "exp2_fused": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
      "requantise": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    }
  },
  "sfu": {
    "mode": {"value": "correctly-rounded", "provenance": "assumed", "source": "every special function is rounded once from the exact value"}
  },
  "memories": {
    "l1": {
      "bytes": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as the other presets"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "left": {
      "bytes": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as the other presets"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "right": {
      "bytes": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as the other presets"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "acc": {
      "bytes": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as the other presets"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "ub": {
      "bytes": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as the other presets"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    }
  },
  "hbm": {
    "bandwidth_gb_per_s": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
    "burst": {"value": 1, "provenance": "assumed", "source": "no byte is moved for nothing"},
    "bytes": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
    "read_after_write": {"value": "event", "provenance": "assumed", "source": "a write is visible when it is done"}
  },
  "paths": {
    "hbm_to_l1": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "hbm_to_ub": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "l1_to_left": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "l1_to_right": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "acc_to_ub": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "acc_to_hbm": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "ub_to_hbm": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "ub_to_l1": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    },
    "acc_to_l1": {
      "bytes_per_cycle": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
      "latency": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"}
    }
  },
  "queues": {
    "depth": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
    "interlocks": {
      "load": {"value": "full", "provenance": "assumed", "source": "as edge: programs that are clean there are clean here"},
      "feed": {"value": "full", "provenance": "assumed", "source": "as edge: programs that are clean there are clean here"},
      "matrix": {"value": "full", "provenance": "assumed", "source": "as edge: programs that are clean there are clean here"},
      "drain": {"value": "full", "provenance": "assumed", "source": "as edge: programs that are clean there are clean here"},
      "vector": {"value": "full", "provenance": "assumed", "source": "as edge: programs that are clean there are clean here"},
      "store": {"value": "full", "provenance": "assumed", "source": "as edge: programs that are clean there are clean here"}
    }
  },
  "events": {
    "per_pair": {"value": "unlimited", "provenance": "assumed", "source": "no limit, by definition"},
    "propagation": {"value": 0, "provenance": "assumed", "source": "no limit, by definition"},
    "pairs": {"value": "all", "provenance": "assumed", "source": "every queue may wait for every other one"},
    "fused_pairs": {"value": [], "provenance": "assumed", "source": "one core is one core"},
    "core_pending": {"value": 15, "provenance": "assumed", "source": "as ascend-910b-like"},
    "overwrite": {"value": "undefined", "provenance": "assumed", "source": "an event is one bit, as published for machines of this class"}
  }
}

"""#
}
