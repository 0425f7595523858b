"""Networks to ONNX: backbones and image towers."""
