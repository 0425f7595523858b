"""Writes what the package ``geoclip`` 1.3.0 computes, for tests to compare with.

Needs the package with its dependencies (torchvision and CLIP's weights aside)::

    pip install --no-deps geoclip==1.3.0 && pip install transformers geopy tqdm pandas
    python scripts/build_geoclip_reference.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from geoclip import GeoCLIP
from safetensors.numpy import save_file

REFERENCE = Path(__file__).parents[1] / "tests" / "data" / "geoclip_reference.safetensors"
PLACES, IMAGES, BEST = 48, 6, 5
FEATURE_DEVIATION = 0.45  # about that of CLIP's projected features


@torch.no_grad()
def main() -> None:
    """Embeds places, runs the head on features, and retrieves from the published gallery."""
    rng = np.random.default_rng(0)
    model = GeoCLIP(from_pretrained=True, clip_pretrained=False).eval()
    lat_lon = np.column_stack([rng.uniform(-90, 90, PLACES), rng.uniform(-180, 180, PLACES)])
    lat_lon[:3] = [[90, 0], [-90, 45], [-17, 180]]
    features = rng.normal(0, FEATURE_DEVIATION, (IMAGES, 768)).astype(np.float32)
    places = torch.from_numpy(lat_lon).float()
    head = model.image_encoder.mlp(torch.from_numpy(features))
    embeddings = model.location_encoder(places)
    probability = _probabilities(model, head)
    best = torch.topk(probability, BEST, dim=1)
    # The package's finest capsule loses digits of coordinates in single precision; how many, a run
    # in double precision tells.
    exact = _probabilities(model.double(), head.double()).gather(1, best.indices)
    save_file(
        {
            "lat_lon": places.numpy(),
            "location_embeddings": embeddings.numpy(),
            "features": features,
            "image_embeddings": head.numpy(),
            "best_lat_lon": model.gps_gallery[best.indices].numpy(),
            "best_probability": best.values.numpy(),
            "best_probability_in_double_precision": exact.numpy(),
        },
        REFERENCE,
    )
    print(f"{REFERENCE.name}: {PLACES} places, {IMAGES} images, best {BEST}")


def _probabilities(model: GeoCLIP, head: torch.Tensor) -> torch.Tensor:
    """As ``GeoCLIP.predict`` has them, from the output of the image head."""
    images = torch.nn.functional.normalize(head, dim=1)
    gallery = model.gps_gallery.to(head.dtype)
    embeddings = model.location_encoder(gallery).to(head.dtype)  # it starts from a float32 zero
    places = torch.nn.functional.normalize(embeddings, dim=1)
    logits = model.logit_scale.exp() * (images @ places.t())
    probability: torch.Tensor = logits.softmax(dim=-1)
    return probability


if __name__ == "__main__":
    main()
