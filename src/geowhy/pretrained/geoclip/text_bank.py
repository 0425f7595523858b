"""The concepts of the vocabulary as CLIP's text tower has them, in GeoCLIP's space.

Prompts go through the text tower and the image head, as GeoCLIP does with texts; the directions of
all concepts are centred on their mean. No concept needs a grounding.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geowhy.assets.files import appearing_whole
from geowhy.concepts.bank import ConceptBank, text_directions
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.export.clip import ClipTextEncoder
from geowhy.pretrained.geoclip.options import CLIP
from geowhy.pretrained.geoclip.released import ReleasedGeoClip, check_installed, text_bank_file
from geowhy.registry import require

__all__ = ["write_text_bank"]


def write_text_bank(vocabulary: Vocabulary, on_progress: Callable[[int, int], None]) -> Path:
    """Embeds all prompts, beside the released weights, for ``concepts="text"``.

    Takes a tenth of a second a prompt on two cores; ``on_progress`` is told how many are done.

    Raises:
        ModelNotFoundError: if GeoCLIP or CLIP isn't installed.
        ModelFormatError: if one of them is damaged.
        MissingExtraError: without the extra ``clip``, which reads texts.
    """
    check_installed()
    aligner = ReleasedGeoClip.load().aligner
    encoder = ClipTextEncoder.load(require(CLIP), on_progress)
    directions = text_directions(vocabulary, encoder.encode, aligner.embed)
    bank = ConceptBank.build(vocabulary, directions, "text")
    file = text_bank_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with appearing_whole(file) as partial:
        partial.write_bytes(bank.to_bytes())
    return file
