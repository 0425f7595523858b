"""CLIP's two towers, written node by node as ONNX, their weights beside them in one plain file.

All rows of a batch go through the linear layers as one matrix ``[N * tokens, width]``. Weights
are "external data", which onnxruntime maps into memory rather than reads. Needs onnx.

int8 is ours rather than that of onnxruntime.quantization: a weight has a scale a column, and each
token its own scale when it comes by. One scale for a whole batch, as DynamicQuantizeLinear has,
would spread a token's outliers over all others, and let a picture's features depend on its
neighbours in the batch.

Patches are as in MaskCLIP (Zhou, Loy and Dai, ECCV 2022, arXiv 2112.01071): in the last layer a
token attends to itself alone, so what comes of it is about its patch, in the space of pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx

from geowhy.arrays import Array, Floats32
from geowhy.assets.files import appearing_whole
from geowhy.export.clip_weights import (
    LEGACY_END,
    ClipSizes,
    ClipWeights,
    TextSizes,
    VisionSizes,
)
from geowhy.export.graph import GraphWriter, Value

__all__ = ["write_image", "write_text"]

ALIGNMENT = 4096  # of a weight in its file: what an operating system maps begins at a page
WEIGHT_STEPS = 63  # not 127: processors without VNNI add two products in 16 bits, and would clip
WHOLE_LAYERS = 1  # first ones that stay in single precision: all others build upon their errors
SMALLEST = 1e-30  # keeps the scale of a row of zeros off zero
_PROJECTION = "visual_projection.weight"


def write_image(
    weights: ClipWeights, sizes: ClipSizes, path: Path, *, int8: bool, patches: Path | None = None
) -> None:
    """Writes the image tower: "pixels" ``[N, 3, S, S]`` to "features" ``[N, projection]``.

    Args:
        weights: checked before.
        sizes: that belong to them.
        path: the graph; its weights go beside it, under the suffix ``.data``.
        int8: whether the layers' matrices are kept in 8 bits.
        patches: a second graph in the same folder, which reads the same file of weights: "pixels"
            to "patches" ``[N, P, projection]``, row by row; None for none. Not in 8 bits.
    """
    vision = sizes.vision
    with appearing_whole(path.with_suffix(".data")) as partial, partial.open("wb") as data:
        writer = _FiledWeights(data, path.with_suffix(".data").name)
        tower = _Tower(writer, weights, vision, "vision_model", int8=int8)
        tokens = tower.layers(_embed_pixels(tower, vision))
        x = tower.last_layer(tokens, tower.attend, _first_token(writer))
        tower.project(tower.normalise(x, "post_layernorm"), _PROJECTION, "features")
        if patches:  # after all of the ordinary graph, which stays what it is without them
            _project_patches(tower, tokens, sizes)
    pixels: Value = ("pixels", ["N", 3, vision.picture, vision.picture])
    writer.write(path, onnx.TensorProto.FLOAT, pixels, ("features", ["N", sizes.projection]))
    if patches:
        given: Value = ("patches", ["N", vision.tokens - 1, sizes.projection])
        writer.write(patches, onnx.TensorProto.FLOAT, pixels, given)


def write_text(weights: ClipWeights, sizes: ClipSizes, path: Path) -> None:
    """Writes the text tower: "tokens" int64 ``[N, length]`` to "features" ``[N, projection]``.

    The features are those of the end-of-text token; whatever stands behind it counts for nothing.
    """
    text = sizes.text
    with appearing_whole(path.with_suffix(".data")) as partial, partial.open("wb") as data:
        writer = _FiledWeights(data, path.with_suffix(".data").name)
        tower = _Tower(writer, weights, text, "text_model", causal=True)
        x, pick = _embed_tokens(tower), _end_token(writer, text)
        x = tower.last_layer(tower.layers(x), tower.attend, pick)
        x = tower.normalise(x, "final_layer_norm")
        tower.project(x, "text_projection.weight", "features")
    given: Value = ("features", ["N", sizes.projection])
    writer.write(path, onnx.TensorProto.INT64, ("tokens", ["N", text.length]), given)


Pick = Callable[[str], str]
Mix = Callable[[str, str], str]


class _FiledWeights(GraphWriter):
    """A graph whose weights are written into a file at once."""

    def __init__(self, data: BinaryIO, location: str) -> None:
        super().__init__()
        self._in_file: dict[str, onnx.TensorProto] = {}
        self._data = data
        self._location = location
        self._hash = hashlib.sha256()

    def weight(self, array: Array, name: str) -> str:
        """A constant in the file of the weights; one of a name that is there already is that."""
        if name in self._in_file:
            return name
        self._append(b"\0" * (-self._data.tell() % ALIGNMENT))
        offset = self._data.tell()
        self._append(np.ascontiguousarray(array).data.cast("B"))
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        return self._point(name, kind, array.shape, offset, array.nbytes)

    def last_rows(self, whole: str, count: int) -> str:
        """The last rows of a constant in the file of the weights, where they lie."""
        tensor = self._in_file[whole]
        where = {entry.key: entry.value for entry in tensor.external_data}
        offset, length = int(where["offset"]), int(where["length"])
        taken = length // tensor.dims[0] * count
        dims = (count, *tensor.dims[1:])
        name = f"{whole}.last_rows"
        return self._point(name, tensor.data_type, dims, offset + length - taken, taken)

    def write(self, path: Path, kind: int, taken: Value, given: Value) -> None:
        """The part of the graph that one output needs; what goes in is of the type ``kind``."""
        model = self.model("geowhy_clip", taken, given, kind)
        # So that the SHA-256 of the graph, which names caches, changes whenever the weights do.
        onnx.helper.set_model_props(model, {"weights_sha256": self._hash.hexdigest()})
        with appearing_whole(path) as partial:
            partial.write_bytes(model.SerializeToString())

    def _point(self, name: str, kind: int, dims: tuple[int, ...], offset: int, length: int) -> str:
        """A constant that stands at a place of the file of the weights."""
        tensor = onnx.TensorProto(
            name=name, data_type=kind, dims=dims, data_location=onnx.TensorProto.EXTERNAL
        )
        where = {"location": self._location, "offset": offset, "length": length}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self.weights.append(tensor)
        self._in_file[name] = tensor
        return name

    def _append(self, content: bytes | memoryview) -> None:
        self._hash.update(content)
        self._data.write(content)


class _Tower:
    """Writes the parts that both towers share."""

    def __init__(
        self,
        writer: _FiledWeights,
        weights: ClipWeights,
        sizes: VisionSizes | TextSizes,
        prefix: str,
        *,
        int8: bool = False,
        causal: bool = False,
    ) -> None:
        self.writer = writer
        self.weights = weights
        self.sizes = sizes
        self.prefix = prefix
        self._int8 = int8
        self._quantised = False  # the layer that is being written
        self._mask = writer.small(_causal_mask(sizes.tokens)) if causal else None

    def tensor(self, name: str) -> Floats32:
        return self.weights(f"{self.prefix}.{name}")

    def normalise(self, x: str, name: str) -> str:
        names = [f"{name}.{part}" for part in ("weight", "bias")]
        scale, bias = (self.writer.weight(self.tensor(n), n) for n in names)
        return self.writer.node("LayerNormalization", x, scale, bias, epsilon=self.sizes.epsilon)

    def layers(self, x: str) -> str:
        """Tokens ``[N * T, width]`` through all layers but the last."""
        for number in range(self.sizes.layers - 1):
            x = self._layer(x, number, self.attend, None)
        return x

    def last_layer(self, x: str, mix: Mix, pick: Pick) -> str:
        """Tokens to the picked ones of each sequence ``[N, width]``; others end at its attention.

        ``mix`` is `attend` or `values`.
        """
        return self._layer(x, self.sizes.layers - 1, mix, pick)

    def project(self, x: str, name: str, output: str) -> str:
        matrix = self.writer.weight(self.weights(name), name)
        return self.writer.named(output, "Gemm", x, matrix, transB=1)

    def values(self, x: str, name: str) -> str:
        """Instead of `attend`, and after it: each token's value, as if it saw itself alone."""
        weight, bias = (
            self.writer.last_rows(f"{name}.q_proj.{part}", self.sizes.width)
            for part in ("weight", "bias")
        )
        return self.writer.node("Gemm", x, weight, bias, transB=1)

    def _layer(self, x: str, number: int, mix: Mix, pick: Pick | None) -> str:
        name = f"encoder.layers.{number}"
        self._quantised = self._int8 and number >= WHOLE_LAYERS
        mixed = mix(self.normalise(x, f"{name}.layer_norm1"), f"{name}.self_attn")
        if pick:
            x, mixed = pick(self._sequences(x)), pick(self._sequences(mixed))
        x = self.writer.node("Add", x, self._linear(mixed, [f"{name}.self_attn.out_proj"]))
        y = self._linear(self.normalise(x, f"{name}.layer_norm2"), [f"{name}.mlp.fc1"])
        steep = self.writer.node("Mul", y, self.writer.small(np.array(1.702, np.float32)))
        y = self.writer.node("Mul", y, self.writer.node("Sigmoid", steep))
        return self.writer.node("Add", x, self._linear(y, [f"{name}.mlp.fc2"]))

    def attend(self, x: str, name: str) -> str:
        writer, heads = self.writer, self.sizes.heads
        each = self.sizes.width // heads
        x = self._linear(x, [f"{name}.{part}_proj" for part in "qkv"])
        x = writer.node("Reshape", x, writer.integers(-1, self.sizes.tokens, 3, heads, each))
        parts = [writer.node("Gather", x, writer.small(np.array(i)), axis=2) for i in range(3)]
        query, value = (writer.node("Transpose", parts[i], perm=[0, 2, 1, 3]) for i in (0, 2))
        key = writer.node("Transpose", parts[1], perm=[0, 2, 3, 1])
        scale = writer.small(np.array(each**-0.5, np.float32))
        likeness = writer.node("MatMul", writer.node("Mul", query, scale), key)
        if self._mask:
            likeness = writer.node("Add", likeness, self._mask)
        mixed = writer.node("MatMul", writer.node("Softmax", likeness, axis=-1), value)
        mixed = writer.node("Transpose", mixed, perm=[0, 2, 1, 3])
        return writer.node("Reshape", mixed, writer.integers(-1, self.sizes.width))

    def _sequences(self, x: str) -> str:
        shape = self.writer.integers(-1, self.sizes.tokens, self.sizes.width)
        return self.writer.node("Reshape", x, shape)

    def _linear(self, x: str, names: list[str]) -> str:
        """One product for linear layers of the same input, their outputs side by side."""
        matrix = np.concatenate([self.tensor(f"{name}.weight") for name in names])
        bias = np.concatenate([self.tensor(f"{name}.bias") for name in names])
        added = self.writer.weight(bias, f"{names[0]}.bias")
        if self._quantised:
            product = self._product_int8(x, matrix, names[0])
            return self.writer.node("Add", product, added)
        weight = self.writer.weight(matrix, f"{names[0]}.weight")
        return self.writer.node("Gemm", x, weight, added, transB=1)

    def _product_int8(self, x: str, matrix: Floats32, name: str) -> str:
        """``x @ matrix.T`` with a scale a token and a scale a column."""
        writer = self.writer
        columns = np.maximum(np.abs(matrix).max(axis=1), SMALLEST) / WEIGHT_STEPS
        rounded = np.rint(matrix / columns[:, None]).astype(np.int8)
        weight = writer.weight(rounded.T, f"{name}.weight")
        largest = writer.node("ReduceMax", writer.node("Abs", x), axes=[1], keepdims=1)
        rows = writer.node("Mul", largest, writer.small(np.array(1 / 127, np.float32)))
        rows = writer.node("Max", rows, writer.small(np.array(SMALLEST, np.float32)))
        steps = writer.node("Round", writer.node("Div", x, rows))
        steps = writer.node("Add", steps, writer.small(np.array(128, np.float32)))
        steps = writer.node("Cast", steps, to=onnx.TensorProto.UINT8)
        zero = writer.small(np.array(128, np.uint8))
        product = writer.node("MatMulInteger", steps, weight, zero)
        product = writer.node("Cast", product, to=onnx.TensorProto.FLOAT)
        scale = writer.weight(columns.astype(np.float32), f"{name}.scale")
        return writer.node("Mul", writer.node("Mul", product, rows), scale)


def _embed_pixels(tower: _Tower, sizes: VisionSizes) -> str:
    """Patches, before them the token of the whole picture; normalised ``[N * T, width]``."""
    writer = tower.writer
    kernel = writer.weight(tower.tensor("embeddings.patch_embedding.weight"), "patches.weight")
    side = [sizes.patch, sizes.patch]
    x = writer.node("Conv", "pixels", kernel, kernel_shape=side, strides=side)
    x = writer.node("Reshape", x, writer.integers(0, sizes.width, -1))
    x = writer.node("Transpose", x, perm=[0, 2, 1])
    x = writer.node("Pad", x, writer.integers(0, 1, 0, 0, 0, 0))
    places = tower.tensor("embeddings.position_embedding.weight")
    places[0] += tower.tensor("embeddings.class_embedding")  # stands where the padding left zeros
    x = writer.node("Add", x, writer.weight(places, "places"))
    x = writer.node("Reshape", x, writer.integers(-1, sizes.width))
    return tower.normalise(x, "pre_layrnorm")


def _embed_tokens(tower: _Tower) -> str:
    writer = tower.writer
    words = writer.weight(tower.tensor("embeddings.token_embedding.weight"), "words")
    places = writer.weight(tower.tensor("embeddings.position_embedding.weight"), "places")
    x = writer.node("Add", writer.node("Gather", words, "tokens"), places)
    return writer.node("Reshape", x, writer.integers(-1, tower.sizes.width))


def _project_patches(tower: _Tower, tokens: str, sizes: ClipSizes) -> None:
    """What goes into the last layer to "patches" ``[N, P, projection]``."""
    x = tower.last_layer(tokens, tower.values, _patch_tokens(tower))
    x = tower.project(tower.normalise(x, "post_layernorm"), _PROJECTION, "patch_rows")
    shape = tower.writer.integers(-1, sizes.vision.tokens - 1, sizes.projection)
    tower.writer.named("patches", "Reshape", x, shape)


def _patch_tokens(tower: _Tower) -> Pick:
    """All but the first, ``[N * P, width]``."""
    writer, width = tower.writer, tower.sizes.width
    first, end, axis = writer.integers(1), writer.integers(tower.sizes.tokens), writer.integers(1)
    rows = writer.integers(-1, width)
    return lambda x: writer.node("Reshape", writer.node("Slice", x, first, end, axis), rows)


def _first_token(writer: GraphWriter) -> Pick:
    return lambda rows: writer.node("Gather", rows, writer.small(np.array(0)), axis=1)


def _end_token(writer: GraphWriter, sizes: TextSizes) -> Pick:
    """The first end of text; with the legacy id, as in CLIP's own code, the highest token."""
    marks = "tokens"
    if sizes.end != LEGACY_END:
        marks = writer.node("Equal", "tokens", writer.integers(sizes.end))
    marks = writer.node("Cast", marks, to=onnx.TensorProto.INT32)
    place = writer.node("ArgMax", marks, axis=1, keepdims=1)
    return lambda rows: writer.node("GatherND", rows, place, batch_dims=1)


def _causal_mask(tokens: int) -> Floats32:
    """What is added to the likeness of a token (row) and another (column): no look ahead."""
    return np.triu(np.full((tokens, tokens), -np.inf, np.float32), 1)
