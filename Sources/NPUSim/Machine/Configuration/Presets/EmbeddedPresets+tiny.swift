// swift-format-ignore-file
// Generated from Configs/tiny.json by Configs/embed.sh. Do not edit.

extension EmbeddedPresets {
  static let tiny = #"""
{
  "name": "tiny",
  "summary": "One small core whose every cycle can be checked by hand",
  "clock_ghz": {"value": 1.0, "provenance": "assumed", "source": "chosen to be checked by hand"},
  "cores": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
  "core": {
    "barrier": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
  },
  "group": {
    "matrix_cores": {"value": 0, "provenance": "assumed", "source": "every core has every queue"},
    "vector_cores": {"value": 0, "provenance": "assumed", "source": "every core has every queue"}
  },
  "matrix": {
    "kind": {"value": "cube", "provenance": "assumed", "source": "chosen to be checked by hand"},
    "m0": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "k0": {"value": 32, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "n0": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "accumulator": {"value": "bf16", "provenance": "assumed", "source": "BF16 accumulation after each block; fp32 is the other choice"},
    "cycles_per_tile": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "overhead": {"value": 0, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "forward_tiles": {"value": 1, "provenance": "assumed", "source": "always forwards"}
  },
  "vector": {
    "lanes": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "minimum_occupancy": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "slopes": {
      "add": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sub": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "mul": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "div": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "max": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "select": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "abs": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "add_scalar": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "mul_scalar": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "duplicate": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "cast": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "copy": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "exp": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "exp2": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "log": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sqrt": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "reciprocal": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "rsqrt": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sin": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "cos": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sigmoid": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "silu": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "fused_multiply_add": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "row_max": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "row_sum": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "row_broadcast": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "gather": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "transpose": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "encode_mx": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "encode_fp8": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "exp2_fused": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "requantise": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "latencies": {
      "add": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sub": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "mul": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "div": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "max": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "select": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "abs": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "add_scalar": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "mul_scalar": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "duplicate": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "cast": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "copy": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "exp": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "exp2": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "log": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sqrt": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "reciprocal": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "rsqrt": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sin": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "cos": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "sigmoid": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "silu": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "fused_multiply_add": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "row_max": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "row_sum": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "row_broadcast": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "gather": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "transpose": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "encode_mx": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "encode_fp8": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "exp2_fused": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "requantise": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    }
  },
  "sfu": {
    "mode": {"value": "correctly-rounded", "provenance": "assumed", "source": "every special function is rounded once from the exact value"}
  },
  "memories": {
    "l1": {
      "bytes": {"value": 1024, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "alignment": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "left": {
      "bytes": {"value": 1024, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "alignment": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "right": {
      "bytes": {"value": 1024, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "alignment": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "acc": {
      "bytes": {"value": 1024, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "alignment": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "ub": {
      "bytes": {"value": 1024, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "alignment": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    }
  },
  "hbm": {
    "bandwidth_gb_per_s": {"value": 1.0, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "burst": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "bytes": {"value": 1048576, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "read_after_write": {"value": "event", "provenance": "assumed", "source": "a write is visible when it is done"}
  },
  "paths": {
    "hbm_to_l1": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "hbm_to_ub": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "l1_to_left": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "l1_to_right": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "acc_to_ub": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "acc_to_hbm": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "ub_to_hbm": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "ub_to_l1": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    },
    "acc_to_l1": {
      "bytes_per_cycle": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
      "latency": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"}
    }
  },
  "queues": {
    "depth": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "interlocks": {
      "load": {"value": "full", "provenance": "assumed", "source": "chosen to be checked by hand"},
      "feed": {"value": "full", "provenance": "assumed", "source": "chosen to be checked by hand"},
      "matrix": {"value": "full", "provenance": "assumed", "source": "chosen to be checked by hand"},
      "drain": {"value": "full", "provenance": "assumed", "source": "chosen to be checked by hand"},
      "vector": {"value": "full", "provenance": "assumed", "source": "chosen to be checked by hand"},
      "store": {"value": "full", "provenance": "assumed", "source": "chosen to be checked by hand"}
    }
  },
  "events": {
    "per_pair": {"value": 4, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "propagation": {"value": 1, "provenance": "assumed", "source": "chosen to be checked by hand"},
    "pairs": {"value": "all", "provenance": "assumed", "source": "every queue may wait for every other one"},
    "fused_pairs": {"value": [], "provenance": "assumed", "source": "one core is one core"},
    "core_pending": {"value": 15, "provenance": "assumed", "source": "as ascend-910b-like"},
    "overwrite": {"value": "undefined", "provenance": "assumed", "source": "an event is one bit, as published for machines of this class"}
  }
}

"""#
}
