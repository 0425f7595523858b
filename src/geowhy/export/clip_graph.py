"""CLIP's two towers, written node by node as ONNX, their weights beside them in one plain file.

All rows of a batch go through the linear layers as one matrix ``[N * tokens, width]``. Weights
are "external data", which onnxruntime maps into memory rather than reads. Needs onnx. By hand,
because 8-bit products that don't depend on a batch's neighbours, and patches on the weights of the
pictures, are what no exporter gives (``benchmarks/beside_geoclip.py``).
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
from geowhy.export.clip_weights import LEGACY_END, ClipSizes, TextSizes, VisionSizes, read_tensor
from geowhy.export.graph import GraphWriter, Value

__all__ = ["write_image", "write_text"]

ALIGNMENT = 4096  # of a weight in its file: what an operating system maps begins at a page
WEIGHT_STEPS = 63  # not 127: processors without VNNI add two products in 16 bits, and would clip
WHOLE_LAYERS = 1  # first ones that stay in single precision: all others build upon their errors
SMALLEST = 1e-30  # keeps the scale of a row of zeros off zero

Pick = Callable[[str], str]
Mix = Callable[[str, str], str]


def write_image(
    weights: Path, sizes: ClipSizes, path: Path, *, int8: bool, patches: Path | None = None
) -> None:
    """Writes the image tower: "pixels" ``[N, 3, S, S]`` to "features" ``[N, projection]``.

    The weights of model.safetensors, which were checked before, go beside ``path`` under the suffix
    ``.data``; with ``int8`` the layers' matrices in 8 bits. ``patches`` is a second graph that
    reads the same file, never in 8 bits: "pixels" to "patches" ``[N, P, projection]``, row by row.
    As in MaskCLIP (Zhou, Loy and Dai, ECCV 2022, arXiv 2112.01071) a token attends to itself alone
    in the last layer, so what comes of it is about its patch, in the space of pictures.
    """
    vision, file = sizes.vision, path.with_suffix(".data")
    projection = "visual_projection.weight"
    with appearing_whole(file) as partial, partial.open("wb") as data:
        tower = _Tower(data, file.name, weights, vision, "vision_model", int8=int8)
        # Patches, before them the token of the whole picture, normalised: [N * T, width].
        kernel = tower.weight(tower.tensor("embeddings.patch_embedding.weight"), "patches.weight")
        side = [vision.patch, vision.patch]
        x = tower.node("Conv", "pixels", kernel, kernel_shape=side, strides=side)
        x = tower.node("Reshape", x, tower.integers(0, vision.width, -1))
        x = tower.node("Transpose", x, perm=[0, 2, 1])
        x = tower.node("Pad", x, tower.integers(0, 1, 0, 0, 0, 0))
        places = tower.tensor("embeddings.position_embedding.weight")
        places[0] += tower.tensor("embeddings.class_embedding")  # where the padding left zeros
        x = tower.node("Add", x, tower.weight(places, "places"))
        x = tower.node("Reshape", x, tower.integers(-1, vision.width))
        tokens = tower.all_but_the_last_layer(tower.normalise(x, "pre_layrnorm"))

        def first_token(x: str) -> str:
            return tower.node("Gather", x, tower.small(np.array(0)), axis=1)

        x = tower.normalise(tower.last_layer(tokens, tower.attend, first_token), "post_layernorm")
        tower.project(x, projection, "features")
        if patches:  # after all of the ordinary graph, which stays what it is without them
            bounds = [tower.integers(n) for n in (1, vision.tokens, 1)]  # first, end, axis
            rows = tower.integers(-1, vision.width)

            def patch_tokens(x: str) -> str:
                return tower.node("Reshape", tower.node("Slice", x, *bounds), rows)

            x = tower.last_layer(tokens, tower.values, patch_tokens)
            x = tower.project(tower.normalise(x, "post_layernorm"), projection, "patch_rows")
            shape = tower.integers(-1, vision.tokens - 1, sizes.projection)
            tower.named("patches", "Reshape", x, shape)
    pixels: Value = ("pixels", ["N", 3, vision.picture, vision.picture])
    tower.write(path, onnx.TensorProto.FLOAT, pixels, ("features", ["N", sizes.projection]))
    if patches:
        given: Value = ("patches", ["N", vision.tokens - 1, sizes.projection])
        tower.write(patches, onnx.TensorProto.FLOAT, pixels, given)


def write_text(weights: Path, sizes: ClipSizes, path: Path) -> None:
    """Writes the text tower: "tokens" int64 ``[N, length]`` to "features" ``[N, projection]``.

    The features are those of the end-of-text token; whatever stands behind it counts for nothing.
    """
    text, file = sizes.text, path.with_suffix(".data")
    with appearing_whole(file) as partial, partial.open("wb") as data:
        tower = _Tower(data, file.name, weights, text, "text_model", causal=True)
        words = tower.weight(tower.tensor("embeddings.token_embedding.weight"), "words")
        places = tower.weight(tower.tensor("embeddings.position_embedding.weight"), "places")
        x = tower.node("Add", tower.node("Gather", words, "tokens"), places)
        x = tower.node("Reshape", x, tower.integers(-1, text.width))
        marks = "tokens"  # with the legacy id, as in CLIP's own code, the highest one is the end
        if text.end != LEGACY_END:
            marks = tower.node("Equal", "tokens", tower.integers(text.end))
        marks = tower.node("Cast", marks, to=onnx.TensorProto.INT32)
        place = tower.node("ArgMax", marks, axis=1, keepdims=1)

        def end_token(x: str) -> str:
            return tower.node("GatherND", x, place, batch_dims=1)

        x = tower.last_layer(tower.all_but_the_last_layer(x), tower.attend, end_token)
        x = tower.normalise(x, "final_layer_norm")
        tower.project(x, "text_projection.weight", "features")
    given: Value = ("features", ["N", sizes.projection])
    tower.write(path, onnx.TensorProto.INT64, ("tokens", ["N", text.length]), given)


class _Tower(GraphWriter):
    """The parts that both towers share; weights are written into a file at once."""

    def __init__(
        self,
        data: BinaryIO,
        location: str,
        published: Path,
        sizes: VisionSizes | TextSizes,
        prefix: str,
        *,
        int8: bool = False,
        causal: bool = False,
    ) -> None:
        """``data`` is the file of the weights, ``location`` its name."""
        super().__init__()
        self._data, self._location = data, location
        self._in_file: dict[str, tuple[int, tuple[int, ...], int, int]] = {}
        self._hash = hashlib.sha256()
        self._published, self._tower = published, prefix
        self._sizes, self._int8 = sizes, int8
        self._quantised = False  # the layer that is being written
        self._mask = ""
        if causal:  # added to the likeness of a token (row) and another (column): no look ahead
            ahead = np.full((sizes.tokens, sizes.tokens), -np.inf, np.float32)
            self._mask = self.small(np.triu(ahead, 1))

    def weight(self, array: Array, name: str) -> str:
        """A constant in the file of the weights; one of a name that is there already is that."""
        if name in self._in_file:
            return name
        padding = b"\0" * (-self._data.tell() % ALIGNMENT)
        offset = self._data.tell() + len(padding)
        for content in (padding, np.ascontiguousarray(array).data.cast("B")):
            self._hash.update(content)
            self._data.write(content)
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        return self._point(name, kind, array.shape, offset, array.nbytes)

    def last_rows(self, whole: str, count: int) -> str:
        """The last rows of a constant in the file of the weights, where they lie."""
        kind, dims, offset, length = self._in_file[whole]
        taken = length // dims[0] * count
        where = offset + length - taken
        return self._point(f"{whole}.last_rows", kind, (count, *dims[1:]), where, taken)

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
        self._in_file[name] = (kind, dims, offset, length)
        return name

    def tensor(self, name: str) -> Floats32:
        return read_tensor(self._published, f"{self._tower}.{name}")

    def normalise(self, x: str, name: str) -> str:
        names = [f"{name}.{part}" for part in ("weight", "bias")]
        scale, bias = (self.weight(self.tensor(n), n) for n in names)
        return self.node("LayerNormalization", x, scale, bias, epsilon=self._sizes.epsilon)

    def project(self, x: str, name: str, output: str) -> str:
        matrix = self.weight(read_tensor(self._published, name), name)
        return self.named(output, "Gemm", x, matrix, transB=1)

    def all_but_the_last_layer(self, x: str) -> str:
        """Tokens ``[N * T, width]`` through them."""
        for number in range(self._sizes.layers - 1):
            x = self._layer(x, number, self.attend)
        return x

    def last_layer(self, x: str, mix: Mix, pick: Pick) -> str:
        """Tokens to the picked ones of each sequence ``[N, width]``; others end at its attention.

        ``mix`` is `attend` or `values`.
        """
        return self._layer(x, self._sizes.layers - 1, mix, pick)

    def attend(self, x: str, name: str) -> str:
        heads = self._sizes.heads
        each = self._sizes.width // heads
        x = self._linear(x, [f"{name}.{part}_proj" for part in "qkv"])
        x = self.node("Reshape", x, self.integers(-1, self._sizes.tokens, 3, heads, each))
        parts = [self.node("Gather", x, self.small(np.array(i)), axis=2) for i in range(3)]
        query, value = (self.node("Transpose", parts[i], perm=[0, 2, 1, 3]) for i in (0, 2))
        key = self.node("Transpose", parts[1], perm=[0, 2, 3, 1])
        likeness = self.node("MatMul", self.node("Mul", query, self.number(each**-0.5)), key)
        if self._mask:
            likeness = self.node("Add", likeness, self._mask)
        mixed = self.node("MatMul", self.node("Softmax", likeness, axis=-1), value)
        mixed = self.node("Transpose", mixed, perm=[0, 2, 1, 3])
        return self.node("Reshape", mixed, self.integers(-1, self._sizes.width))

    def values(self, x: str, name: str) -> str:
        """Instead of `attend`, and after it: each token's value, as if it saw itself alone."""
        names = [f"{name}.q_proj.{part}" for part in ("weight", "bias")]
        weight, bias = (self.last_rows(n, self._sizes.width) for n in names)
        return self.node("Gemm", x, weight, bias, transB=1)

    def _layer(self, x: str, number: int, mix: Mix, pick: Pick | None = None) -> str:
        name = f"encoder.layers.{number}"
        self._quantised = self._int8 and number >= WHOLE_LAYERS
        mixed = mix(self.normalise(x, f"{name}.layer_norm1"), f"{name}.self_attn")
        if pick:
            shape = (-1, self._sizes.tokens, self._sizes.width)
            x, mixed = (
                pick(self.node("Reshape", rows, self.integers(*shape))) for rows in (x, mixed)
            )
        x = self.node("Add", x, self._linear(mixed, [f"{name}.self_attn.out_proj"]))
        y = self._linear(self.normalise(x, f"{name}.layer_norm2"), [f"{name}.mlp.fc1"])
        steep = self.node("Mul", y, self.number(1.702))
        y = self.node("Mul", y, self.node("Sigmoid", steep))
        return self.node("Add", x, self._linear(y, [f"{name}.mlp.fc2"]))

    def _linear(self, x: str, names: list[str]) -> str:
        """One product for linear layers of the same input, their outputs side by side."""
        matrix = np.concatenate([self.tensor(f"{name}.weight") for name in names])
        bias = np.concatenate([self.tensor(f"{name}.bias") for name in names])
        added = self.weight(bias, f"{names[0]}.bias")
        if not self._quantised:
            weight = self.weight(matrix, f"{names[0]}.weight")
            return self.node("Gemm", x, weight, added, transB=1)
        # A scale a token and a scale a column. One for a whole batch, as onnxruntime's
        # DynamicQuantizeLinear has, would spread a token's outliers over all others, and let
        # features depend on neighbours in the batch.
        columns = np.maximum(np.abs(matrix).max(axis=1), SMALLEST) / WEIGHT_STEPS
        rounded = np.rint(matrix / columns[:, None]).astype(np.int8)
        weight = self.weight(rounded.T, f"{names[0]}.weight")
        largest = self.node("ReduceMax", self.node("Abs", x), axes=[1], keepdims=1)
        rows = self.node("Mul", largest, self.number(1 / 127))
        rows = self.node("Max", rows, self.number(SMALLEST))
        steps = self.node("Round", self.node("Div", x, rows))
        steps = self.node("Add", steps, self.number(128))
        steps = self.node("Cast", steps, to=onnx.TensorProto.UINT8)
        zero = self.small(np.array(128, np.uint8))
        product = self.node("MatMulInteger", steps, weight, zero)
        product = self.node("Cast", product, to=onnx.TensorProto.FLOAT)
        scale = self.weight(columns.astype(np.float32), f"{names[0]}.scale")
        scaled = self.node("Mul", self.node("Mul", product, rows), scale)
        return self.node("Add", scaled, added)
