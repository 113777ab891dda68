// swift-format-ignore-file
// Generated from Configs/scalesim-ws.json by Configs/embed.sh. Do not edit.

extension EmbeddedPresets {
  static let scalesimws = #"""
{
  "name": "scalesim-ws",
  "summary": "A systolic array of SCALE-Sim and no other limit: the right operand stays in the cells",
  "base": "ideal",
  "matrix": {
    "kind": {"value": "systolic", "provenance": "published", "source": "SCALE-Sim 3.0.0"},
    "dataflow": {"value": "ws", "provenance": "published", "source": "SCALE-Sim 3.0.0, dataflow of the run"},
    "rows": {"value": 32, "provenance": "published", "source": "ArrayHeight of SCALE-Sim's examples; set it to the array of the run"},
    "columns": {"value": 32, "provenance": "published", "source": "ArrayWidth of SCALE-Sim's examples; set it to the array of the run"},
    "fold_overlap": {"value": 0, "provenance": "published", "source": "SCALE-Sim 3.0.0 begins a fold when the last one has ended"}
  }
}

"""#
}
